"""What of an image's objects contradicts the description that their dataset gives of itself."""

import numpy as np
from torch import Tensor

from src.data.description import Description
from src.data.sample import Instances

_TOLERANCE = 1.0  # pixels by which an annotated box may reach beyond its image


def object_flaw(objects: Instances, size: tuple[int, int], description: Description) -> str | None:
    """The first contradiction in a sentence, which counts the objects from 0; None where there is none.

    Args:
        size: height and width of the image.
    """
    parts = {name: part.as_subclass(Tensor).numpy() for name, part in vars(objects).items() if part is not None}
    for name, part in parts.items():
        if len(part) != len(objects):
            return f"the objects have {len(objects)} labels and {len(part)} {name}"
    return (
        _of_labels(parts["labels"], description)
        or _of_boxes(parts["boxes"], size)
        or _of_masks(parts.get("masks"), size)
        or _of_keypoints(parts.get("keypoints"), description)
        or _of_areas(parts.get("areas"))
    )


def _of_labels(labels: np.ndarray, description: Description) -> str | None:
    known = range(description.num_classes) if description.things is None else description.countable
    index = _first(~np.isin(labels, known))
    return None if index is None else f"object {index} has the label {labels[index]}: its class is one of {[*known]}"


def _of_boxes(boxes: np.ndarray, size: tuple[int, int]) -> str | None:
    low, high = -_TOLERANCE, np.array([*size[::-1]] * 2) + _TOLERANCE
    inside = (boxes >= low) & (boxes <= high)  # false for NaN too
    index = _first(~(inside.all(1) & (boxes[:, :2] < boxes[:, 2:]).all(1)))
    if index is None:
        return None
    told = ", ".join(f"{edge:g}" for edge in boxes[index])
    why = "a box has x0 < x1 and y0 < y1" if inside[index].all() else f"the image is {size[0]}x{size[1]}"
    return f"the box of object {index} is {told} (x0, y0, x1, y1): {why}"


def _of_masks(masks: np.ndarray | None, size: tuple[int, int]) -> str | None:
    if masks is None:
        return None
    if masks.shape[1:] != tuple(size):
        return f"the masks of the objects are {masks.shape[1]}x{masks.shape[2]}, their image {size[0]}x{size[1]}"
    index = None if masks.dtype == bool else _first(((masks != 0) & (masks != 1)).any((1, 2)))
    return None if index is None else f"the mask of object {index} holds {masks[index].max()}: it is made of 0 and 1"


def _of_keypoints(keypoints: np.ndarray | None, description: Description) -> str | None:
    if keypoints is None:
        return None
    k = len(description.keypoints)
    if keypoints.shape[1] != k:
        return f"the objects have {keypoints.shape[1]} keypoints each, the dataset {k}"
    wrong = ~np.isfinite(keypoints).all(2) | ~np.isin(keypoints[..., 2], (0, 1, 2))
    index = _first(wrong.any(1))
    if index is None:
        return None
    point = int(np.argmax(wrong[index]))
    told = ", ".join(f"{number:g}" for number in keypoints[index, point])
    return (
        f"keypoint {description.keypoints[point]!r} of object {index} is {told} (x, y, visibility): "
        "numbers, and 0 for not labelled, 1 for hidden, 2 for visible"
    )


def _of_areas(areas: np.ndarray | None) -> str | None:
    if areas is None:
        return None
    index = _first(~(np.isfinite(areas) & (areas >= 0)))
    return None if index is None else f"the area of object {index} is {areas[index]:g} pixels: it is 0 or more"


def _first(wrong: np.ndarray) -> int | None:
    return int(np.argmax(wrong)) if wrong.any() else None
