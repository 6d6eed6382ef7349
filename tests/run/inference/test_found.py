"""What was found in an image: results, label image, class map; the reference for run lengths is COCO's own code."""

import numpy as np
import pytest
import torch
from pycocotools import mask as coco

from src.data.description import Description
from src.data.sample import Instances
from src.run.inference.found import Found

SIZE = (12, 16)


def description(*classes: str) -> Description:
    return Description(("image", "instances"), classes, ((0, 0, 0),) * len(classes), things=("cat", "dog"))


def found(
    seen: tuple[int, int] = SIZE, size: tuple[int, int] = SIZE, classes: tuple[str, ...] = ("sky", "cat", "dog")
) -> Found:
    """A large cat that is sure, over it a small dog that is less so, and a cat without a pixel."""
    masks = torch.zeros(3, *seen, dtype=torch.bool)
    masks[0, 2:10, 4:12] = masks[1, 4:8, 8:16] = True
    objects = Instances(
        boxes=torch.tensor([[4.0, 2, 12, 10], [8, 4, 16, 8], [1, 1, 2, 2]]),
        labels=torch.tensor([classes.index(name) for name in ("cat", "dog", "cat")]),
        masks=masks,
        keypoints=torch.tensor([[[4.5, 2.5, 0.9]], [[8, 4, 0.8]], [[1, 1, 0.7]]]),
        scores=torch.tensor([0.75, 0.5, 0.25]),
    )
    return Found(objects, seen, size, description(*classes))


def test_the_label_image_numbers_objects_from_the_best_which_is_on_top() -> None:
    ids = found().ids()
    assert ids.dtype == np.uint16
    assert (ids[3, 5], ids[5, 10], ids[5, 14], ids[0, 0]) == (1, 1, 2, 0)
    assert ((ids == 1).sum(), (ids == 2).sum()) == (64, 16)


def test_the_class_map_has_the_smaller_object_on_top_as_maps_are_scored() -> None:
    mask = found().classes()
    assert mask.dtype == np.uint8
    assert (mask[3, 5], mask[5, 10], mask[5, 14], mask[0, 0]) == (1, 2, 2, 255)
    assert ((mask == 1).sum(), (mask == 2).sum()) == (48, 32)


def test_of_equal_sizes_the_better_one_is_on_top() -> None:
    masks = torch.ones(2, 3, 3, dtype=torch.bool)
    boxes, scores = torch.tensor([[0.0, 0, 3, 3]] * 2), torch.tensor([0.9, 0.8])
    objects = Instances(boxes, torch.tensor([1, 2]), masks, scores=scores)
    assert (Found(objects, (3, 3), (3, 3), description("sky", "cat", "dog")).classes() == 1).all()


def test_nobody_is_background_where_there_is_such_a_class() -> None:
    mask = found(classes=("cat", "background", "dog")).classes()
    assert (mask[0, 0], mask[3, 5], mask[5, 14]) == (1, 0, 2)


def test_results_are_coco_s() -> None:
    first, second, third = found().results()
    assert (first["category"], first["bbox"], first["score"]) == ("cat", [4, 2, 8, 8], 0.75)
    assert first["keypoints"] == pytest.approx([4, 2, 0.9]), "0 is the centre of the first pixel there"
    expected = np.zeros(SIZE, np.uint8)
    expected[4:8, 8:16] = 1
    assert second["segmentation"]["size"] == list(SIZE)
    assert np.array_equal(coco.decode(second["segmentation"]), expected)
    assert coco.area(third["segmentation"]) == 0


def test_counts_name_every_countable_class() -> None:
    assert found().counts() == {"cat": 2, "dog": 1}
    empty = found()._objects
    none = Instances(empty.boxes[:0], empty.labels[:0], empty.masks[:0], scores=empty.scores[:0])
    assert Found(none, SIZE, SIZE, description("sky", "cat", "dog")).counts() == {"cat": 0, "dog": 0}


def test_nothing_found_is_an_empty_map() -> None:
    some = found()._objects
    none = Instances(some.boxes[:0], some.labels[:0], some.masks[:0], scores=some.scores[:0])
    nothing = Found(none, SIZE, SIZE, description("sky", "cat", "dog"))
    assert (nothing.classes() == 255).all()
    assert (nothing.ids() == 0).all()
    assert nothing.results() == []


def test_what_was_found_in_a_smaller_picture_is_enlarged() -> None:
    """Three times as high, twice as wide."""
    small, large = found(), found(size=(36, 32))
    for name in ("ids", "classes"):
        expected = getattr(small, name)().repeat(3, axis=0).repeat(2, axis=1)
        assert np.array_equal(getattr(large, name)(), expected)
    first = large.results()[0]
    assert first["bbox"] == [8, 6, 16, 24]
    assert first["keypoints"] == pytest.approx([8.5, 7, 0.9])
    expected = large.mask(0)
    assert expected.sum() == 64 * 6
    assert np.array_equal(coco.decode(first["segmentation"]), expected)
    again = large.at(SIZE)
    assert torch.equal(again.masks, small._objects.masks)
    assert torch.equal(large.at((36, 32)).boxes[0], torch.tensor([8.0, 6, 24, 30]))


def test_without_masks_an_object_is_its_box() -> None:
    some = found()._objects
    boxes = Instances(some.boxes, some.labels, scores=some.scores)
    bare = Found(boxes, SIZE, SIZE, description("sky", "cat", "dog"))
    assert "segmentation" not in bare.results()[0]
    assert np.array_equal(np.argwhere(bare.mask(0))[[0, -1]], [[2, 4], [9, 11]])
