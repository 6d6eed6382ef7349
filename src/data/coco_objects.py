"""The objects of one image as a COCO annotation file has them (Lin et al., 2014)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float32

from src.data.box import box
from src.data.coco_region import region
from src.data.sample import Instances

Annotations = Sequence[Mapping[str, Any]]


def objects(annotations: Annotations, size: tuple[int, int], source: Path, drawn: bool, keypoints: int) -> Instances:
    """Every annotation as an object, crowds among them; the labels are the file's category ids.

    Boxes are those of the pixels. An object that is too small to cover any, or of a file without regions, has its
    `bbox`, as far as it lies within the image. Areas are the file's own, by which COCO's scores count.

    Args:
        annotations: of one image.
        size: its height and width.
        source: the annotation file, which an error names.
        drawn: objects have regions.
        keypoints: how many an object has. COCO's x and y are numbers of pixels, here the places of their centres.

    Raises:
        ValueError: annotations that cannot be used, all of them by their ids.
    """
    masks = np.zeros((len(annotations), *size), bool) if drawn else None
    points = np.zeros((len(annotations), keypoints, 3), np.float32)
    boxes, areas, troubles = np.zeros((len(annotations), 4), np.float32), [], []
    for place, one in enumerate(annotations):
        try:
            boxes[place] = _box(one, size) if masks is None else _drawn(one, masks[place])
            points[place] = _points(one, keypoints)
            areas.append(float(one["area"]) if "area" in one else _counted(boxes[place], masks, place))
        except (ValueError, KeyError, TypeError) as error:
            said = f"it has no {error}" if isinstance(error, KeyError) else error
            troubles.append(f"annotation {one.get('id')} cannot be used: {said}")
    if troubles:
        raise ValueError(f"{source}: {'; '.join(troubles)}")
    return Instances(
        boxes=torch.from_numpy(boxes),
        labels=torch.tensor([one["category_id"] for one in annotations], dtype=torch.int64),
        masks=None if masks is None else torch.from_numpy(masks),
        keypoints=torch.from_numpy(points) if keypoints else None,
        crowd=torch.tensor([bool(one.get("iscrowd")) for one in annotations], dtype=torch.bool),
        areas=torch.tensor(areas, dtype=torch.float32),
    )


def _drawn(annotation: Mapping[str, Any], mask: Bool[np.ndarray, "h w"]) -> tuple[float | int, ...]:
    """Fill the mask; the box of its pixels."""
    if not annotation["segmentation"]:
        raise ValueError("its segmentation is empty, where other objects of the file have one")
    mask[:] = region(annotation["segmentation"], mask.shape)
    said = _box(annotation, mask.shape) if "bbox" in annotation else None
    found = box(mask)
    if any(found):
        return found
    if said is None:
        raise ValueError("its segmentation covers no pixel, and it has no bbox")
    return said


def _box(annotation: Mapping[str, Any], size: tuple[int, int]) -> tuple[float | int, ...]:
    """The annotated one, from edge to edge, cut at the borders of the image."""
    x, y, width, height = map(float, annotation["bbox"])
    if not (0 < width < np.inf and 0 < height < np.inf):
        raise ValueError(f"its bbox {annotation['bbox']} has a width of {width:g} and a height of {height:g}")
    left, top, right, bottom = max(x, 0.0), max(y, 0.0), min(x + width, size[1]), min(y + height, size[0])
    if not (left < right and top < bottom):  # true for NaN too
        raise ValueError(f"its bbox {annotation['bbox']} is not within the image, {size[0]}x{size[1]} (height x width)")
    return left, top, right, bottom


def _points(annotation: Mapping[str, Any], count: int) -> Float32[np.ndarray, "k 3"]:
    """Who has none is an object all the same; a place that is no number is not labelled."""
    points = np.asarray(annotation.get("keypoints") or [0] * 3 * count if count else [], np.float64)
    if points.shape != (3 * count,):
        raise ValueError(f"it has {points.size} numbers for {count} keypoints, which need x, y and visibility each")
    points = points.reshape(count, 3)
    if not np.isin(points[:, 2], (0, 1, 2)).all():
        raise ValueError(f"its keypoints have the visibilities {points[:, 2].tolist()}: 0, 1 and 2 are known")
    points[:, :2] += 0.5
    known = (points[:, 2] > 0) & np.isfinite(points).all(1)
    return np.where(known[:, None], points, 0).astype(np.float32)


def _counted(box: Float32[np.ndarray, "4"], masks: Bool[np.ndarray, "n h w"] | None, place: int) -> float:
    if masks is not None:
        return float(np.count_nonzero(masks[place]))
    return float((box[2] - box[0]) * (box[3] - box[1]))
