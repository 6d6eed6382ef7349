"""COCO's figures of what a metric kept (Lin et al., 2014)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from src.metric import collector
from src.metric.coco import Kind, measured
from src.metric.kept import Kept


@collector.paused()
def average_precision(
    images: Sequence[tuple[Kept, Kept]],
    kind: Kind,
    categories: Mapping[int, str],
    sigmas: Sequence[float] = (),
) -> dict[str, float]:
    """The names and figures of `src.metric.coco.evaluated`.

    Args:
        images: found and there in each. Those whose target lacks what is compared are left out.
        kind: what is compared.
        categories: the name of each label.
        sigmas: of each keypoint.
    """
    known = [(index, *image) for index, image in enumerate(images, 1) if _comparable(image[1], kind)]
    sized = [{"id": index} | _size(found, there) for index, found, there in known]
    truth = [entry for index, _, there in known for entry in _entries(there, index, kind)]
    results = [entry for index, found, _ in known for entry in _entries(found, index, kind)]
    return measured(sized, truth, results, kind, categories=categories, sigmas=sigmas)


def _comparable(there: Kept, kind: Kind) -> bool:
    values = {"segm": there.masks, "keypoints": there.keypoints, "bbox": there.boxes}
    return values[kind] is not None or not len(there)


def _size(found: Kept, there: Kept) -> dict[str, int]:
    """Height and width, of which only masks know."""
    masks = there.masks or found.masks
    return dict(zip(("height", "width"), masks[0]["size"], strict=True)) if masks else {}


def _entries(objects: Kept, image: int, kind: Kind) -> list[dict[str, Any]]:
    """As in COCO's JSON, complete."""
    crowd = np.zeros(len(objects), bool) if objects.crowd is None else objects.crowd
    columns: dict[str, Sequence[Any]] = {"image_id": [image] * len(objects), "category_id": objects.labels.tolist()}
    columns |= {"iscrowd": crowd.tolist(), "area": _areas(objects, kind).tolist()}
    if objects.scores is not None:
        columns["score"] = objects.scores.tolist()
    if kind == "segm":
        columns["segmentation"] = objects.masks or []
    else:
        columns["bbox"] = objects.boxes.tolist()
    if kind == "keypoints" and len(objects):
        columns["keypoints"] = [points.flatten().tolist() for points in objects.keypoints]
        columns["num_keypoints"] = (objects.keypoints[..., 2] > 0).sum(1).tolist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _areas(objects: Kept, kind: Kind) -> Float[np.ndarray, " n"]:
    """Of a target what it says, of a prediction that of what is compared."""
    if objects.scores is not None and kind == "keypoints" and len(objects):
        return np.ptp(objects.keypoints[..., :2], axis=1).prod(1)
    if objects.areas is None or (objects.scores is not None and kind == "bbox"):
        return objects.boxes[:, 2:].prod(1)
    return objects.areas
