import math
from pathlib import Path

import numpy as np
import pycocotools.mask
import pytest
import torch

from src.data.coco_objects import objects
from src.data.sample import Instances

SQUARE = {"id": 1, "category_id": 90, "segmentation": [[1, 1, 3, 1, 3, 3, 1, 3]], "bbox": [1, 1, 2, 2]}
SIZE = (6, 8)


def read(*annotations: dict, drawn: bool = True, keypoints: int = 0) -> Instances:
    return objects(annotations, SIZE, Path("a.json"), drawn, keypoints)


def test_the_three_ways_to_write_a_region_give_one_object() -> None:
    mask = np.zeros(SIZE, np.uint8, order="F")
    mask[1:3, 1:3] = 1
    packed = pycocotools.mask.encode(mask)
    lengths = {"size": list(SIZE), "counts": [7, 2, 4, 2, 33]}
    text = {"size": list(SIZE), "counts": packed["counts"].decode()}
    found = read(SQUARE, {**SQUARE, "segmentation": lengths}, {**SQUARE, "segmentation": text})
    assert (found.masks.numpy() == mask).all()
    assert found.boxes.tolist() == [[1, 1, 3, 3]] * 3
    assert (found.areas.tolist(), found.labels.tolist()) == ([4, 4, 4], [90, 90, 90])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"segmentation": [[1, 1, 3, 1]]}, "three corners"),
        ({"segmentation": []}, "its segmentation is empty"),
        ({"segmentation": {"size": [8, 6], "counts": [48]}}, r"run lengths are for \[8, 6\], the image is \[6, 8\]"),
        ({"bbox": [1, 1, 0, 2]}, r"its bbox \[1, 1, 0, 2\] has a width of 0 and a height of 2"),
        ({"bbox": [1, 1, 2, -1]}, "a height of -1"),
        ({"bbox": [1, 1, math.nan, 2]}, "a width of nan"),
        ({"bbox": [8, 1, 2, 2]}, r"its bbox \[8, 1, 2, 2\] is not within the image, 6x8"),
        ({"bbox": [1, 1, 2]}, "not enough values"),
        ({"bbox": None}, "NoneType"),
        ({"area": "large"}, "could not convert"),
        ({"keypoints": [1, 2, 2]}, "it has 3 numbers for 2 keypoints"),
        ({"keypoints": [1, 2, 2, 1, 2, 3]}, r"visibilities \[2.0, 3.0\]: 0, 1 and 2"),
    ],
)
def test_an_annotation_that_cannot_be_used_is_named(change: dict, said: str) -> None:
    with pytest.raises(ValueError, match=rf"a\.json: annotation 17 cannot be used: .*{said}"):
        read(SQUARE, {**SQUARE, "id": 17, **change}, keypoints=2)


def test_all_annotations_of_an_image_that_cannot_be_used_are_named() -> None:
    nothing, thin = {"id": 17, "category_id": 1}, {**SQUARE, "id": 18, "bbox": [1, 1, 0, 2]}
    speck = {"id": 19, "category_id": 1, "segmentation": [[4.1, 5.2, 4.3, 5.2, 4.3, 5.5]]}
    with pytest.raises(
        ValueError,
        match=r"a\.json: annotation 17 cannot be used: it has no 'segmentation'; annotation 18 .* width of 0 .*; "
        r"annotation 19 cannot be used: its segmentation covers no pixel, and it has no bbox",
    ):
        read(nothing, SQUARE, thin, speck)
    with pytest.raises(ValueError, match="annotation 17 cannot be used: it has no 'bbox'"):
        read(nothing, drawn=False)


def test_boxes_without_regions() -> None:
    """Cut at the borders of the image; the area is the box's where the file says none."""
    found = read({"category_id": 2, "bbox": [-1, 2.5, 3, 9]}, {**SQUARE, "area": 2.5}, drawn=False)
    assert found.boxes.tolist() == [[0, 2.5, 2, 6], [1, 1, 3, 3]]
    assert (found.masks, found.areas.tolist()) == (None, [7, 2.5])


def test_a_keypoint_without_a_place_is_not_labelled() -> None:
    points = [math.nan, 2, 2, 1, 2, 1, 5, 5, 0]
    found = read({**SQUARE, "keypoints": points}, SQUARE, keypoints=3)
    assert found.keypoints.tolist() == [[[0, 0, 0], [1.5, 2.5, 1], [0, 0, 0]], [[0, 0, 0]] * 3]
    assert found.keypoints.dtype == torch.float32
