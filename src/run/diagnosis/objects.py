"""What is counted of the objects of one sample, and of all samples of a split."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torchvision.ops import box_area, box_iou

from src.data.description import Description
from src.data.sample import Instances

SIZES = ("small", "medium", "large")
_EDGES = torch.tensor([32.0**2, 96.0**2])  # pixels of area between these, as COCO counts
_SAME = 0.9  # IoU of boxes, and of masks, above which two objects of a class are one


@dataclass(frozen=True)
class Objects:
    """Facts about the objects of one sample, which are counted from 0."""

    labels: list[int]
    sizes: list[int]  # of each that is no crowd, place in `SIZES`
    crowds: int
    labelled: list[int]  # of each keypoint, on how many objects it is
    empty: list[int]  # those without a pixel
    twins: list[tuple[int, int]]  # those that are annotated twice

    @classmethod
    def of(cls, objects: Instances) -> "Objects":
        """Count them."""
        parts = {name: part.as_subclass(Tensor) for name, part in vars(objects).items() if part is not None}
        single = ~parts.get("crowd", torch.zeros(len(objects), dtype=torch.bool))
        areas, masks = _areas(parts), parts.get("masks")
        return cls(
            labels=parts["labels"].tolist(),
            sizes=torch.bucketize(areas[single], _EDGES, right=True).tolist(),
            crowds=int((~single).sum()),
            labelled=(parts["keypoints"][..., 2] > 0).sum(0).tolist() if "keypoints" in parts else [],
            empty=[] if masks is None else (~masks.flatten(1).any(1)).nonzero().flatten().tolist(),
            twins=_twins(parts, single),
        )


def summed(found: Sequence[Objects], description: Description) -> dict[str, Any] | None:
    """Of a split as plain containers; None where samples have no objects to speak of."""
    if not found:
        return None
    counts = [len(one.labels) for one in found]
    total, sizes = sum(counts), Counter(size for one in found for size in one.sizes)
    labels, images = Counter(), Counter()
    for one in found:
        labels.update(one.labels)
        images.update(set(one.labels))
    indices = description.countable or range(description.num_classes)
    points = zip(*(one.labelled for one in found if one.labelled), strict=True)
    return {
        "objects": total,
        "per_image": {"min": min(counts), "median": median(counts), "max": max(counts)},
        "without": counts.count(0) / len(counts),
        "sizes": {name: sizes[place] for place, name in enumerate(SIZES)},
        "crowds": sum(one.crowds for one in found),
        "classes": {
            description.classes[index]: {"objects": labels[index], "images": images[index]} for index in indices
        },
        "keypoints": {name: sum(on) / total for name, on in zip(description.keypoints, points, strict=False) if total},
    }


def oddities(name: str, found: Objects) -> list[str]:
    """What of a sample's objects is hardly meant."""
    said = [f"{name}: object {index} has no pixel" for index in found.empty]
    return said + [f"{name}: objects {one} and {other} are one, annotated twice" for one, other in found.twins]


def _areas(parts: dict[str, Tensor]) -> Float[Tensor, " n"]:
    if "areas" in parts:
        return parts["areas"]
    return parts["masks"].flatten(1).sum(1).float() if "masks" in parts else box_area(parts["boxes"])


def _twins(parts: dict[str, Tensor], single: Tensor) -> list[tuple[int, int]]:
    boxes, labels = parts["boxes"], parts["labels"]
    near = (box_iou(boxes, boxes) > _SAME) & (labels[:, None] == labels) & single[:, None] & single
    pairs = [tuple(pair) for pair in near.triu(1).nonzero().tolist()]
    masks = parts.get("masks")
    return pairs if masks is None else [pair for pair in pairs if _overlap(masks[pair[0]], masks[pair[1]]) > _SAME]


def _overlap(one: Tensor, other: Tensor) -> float:
    one, other = one.bool(), other.bool()
    return float((one & other).sum() / (one | other).sum().clamp(min=1))
