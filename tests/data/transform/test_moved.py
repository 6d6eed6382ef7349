from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as v2

from src.data.box import box
from src.data.sample import Instances
from src.data.transform.moved import moved
from src.data.transform.span import Span
from src.data.transform.view import View


def view(
    height: int = 40, width: int = 60, scale: float = 1.0, flips: tuple[bool, bool] = (False, False), angle: float = 0.0
) -> View:
    """The whole image, so many times as large."""
    lengths = (round(height * scale), round(width * scale))
    spans = [Span.of(old, old, 0, new, flip) for old, new, flip in zip((height, width), lengths, flips, strict=True)]
    return View(*spans, angle=angle)


def squares(height: int = 40, width: int = 60) -> Instances:
    """Two rectangles with two keypoints each, all fields given."""
    masks = torch.zeros(2, height, width, dtype=torch.bool)
    masks[0, 4:14, 6:26] = True
    masks[1, 20:32, 30:38] = True
    return Instances(
        boxes=torch.tensor([[6.0, 4.0, 26.0, 14.0], [30.0, 20.0, 38.0, 32.0]]),
        labels=torch.tensor([1, 0]),
        masks=masks,
        keypoints=torch.tensor([[[6.25, 4.5, 2.0], [0.0, 0.0, 0.0]], [[31.0, 21.75, 1.0], [37.5, 31.0, 2.0]]]),
        crowd=torch.tensor([False, True]),
        areas=torch.tensor([200.0, 50.0]),
    )


@pytest.mark.parametrize("bare", [False, True])
def test_a_view_of_all_changes_nothing(bare):
    before = replace(squares(), masks=None) if bare else squares()
    after = moved(before, view(), ((0, 1),), 1)
    for name, part in vars(before).items():
        assert (part is None and getattr(after, name) is None) or torch.equal(part, getattr(after, name)), name


@pytest.mark.parametrize("flips", [(False, True), (True, False), (True, True)])
@pytest.mark.parametrize("size", [(40, 60), (41, 61)])
def test_two_mirrors_undo_each_other_at_odd_and_even_sizes(size, flips):
    before, mirror = squares(*size), view(*size, flips=flips)
    once = moved(before, mirror, ((0, 1),), 1)
    assert not torch.equal(once.masks, before.masks)
    for bare in (False, True):
        start = replace(before, masks=None) if bare else before
        after = moved(moved(start, mirror, ((0, 1),), 1), mirror, ((0, 1),), 1)
        for name, part in vars(start).items():
            if part is not None:
                torch.testing.assert_close(getattr(after, name), part, msg=name)


def test_left_and_right_are_exchanged_by_one_mirror_and_not_by_two():
    one, other, both = (
        moved(squares(), view(flips=flips), ((0, 1),), 1).keypoints[1].tolist()
        for flips in [(False, True), (True, False), (True, True)]
    )
    assert one == [[22.5, 31.0, 2.0], [29.0, 21.75, 1.0]]
    assert other == [[37.5, 9.0, 2.0], [31.0, 18.25, 1.0]]
    assert both == [[29.0, 18.25, 1.0], [22.5, 9.0, 2.0]]


def test_keypoints_that_leave_the_image_or_are_not_labelled_are_zero():
    window = View(Span.of(40, 10, 4, 10), Span.of(60, 20, 6, 20))
    keypoints = torch.tensor([[6.0, 4.0, 2], [5.99, 8, 2], [26, 8, 1], [25.9, 13.9, 1], [8, 14, 2], [9, 9, 0]])
    seen = moved(replace(squares().only(torch.tensor([0])), keypoints=keypoints[None]), window, (), 1).keypoints[0]
    torch.testing.assert_close(seen[0], torch.tensor([0.0, 0.0, 2.0]))
    torch.testing.assert_close(seen[3], torch.tensor([19.9, 9.9, 1.0]))
    assert (seen[[1, 2, 4, 5]] == 0).all()


@pytest.mark.parametrize("angle", [-90.0, 33.0, 90.0, 170.0])
def test_boxes_and_keypoints_turn_as_torchvision_turns_them(angle):
    objects = squares()
    turned = moved(replace(objects, masks=None), view(angle=angle), (), 1)
    boxes = tv_tensors.BoundingBoxes(objects.boxes, format="XYXY", canvas_size=(40, 60))
    expected = v2.rotate(boxes, -angle).as_subclass(Tensor)
    kept = (expected[:, 2:] - expected[:, :2] >= 1).all(1)
    torch.testing.assert_close(turned.boxes, expected[kept], atol=1e-3, rtol=0)
    points = tv_tensors.KeyPoints(objects.keypoints[kept][..., :2], canvas_size=(40, 60))
    expected = v2.rotate_keypoints(points.as_subclass(Tensor), (40, 60), -angle)[0]
    visible = turned.keypoints[..., 2] > 0
    assert visible.any()
    torch.testing.assert_close(turned.keypoints[..., :2][visible], expected[visible], atol=1e-3, rtol=0)


def test_areas_follow_the_pixels_of_the_mask_or_the_box():
    half = View(Span.of(40, 40, 0, 80), Span.of(60, 44, 16, 88))  # twice as large, without half of the first
    assert moved(squares(), half, (), 1).areas.tolist() == [400.0, 200.0]
    assert moved(replace(squares(), masks=None), half, (), 1).areas.tolist() == [400.0, 200.0]


@pytest.mark.parametrize("bare", [False, True])
def test_objects_that_are_too_small_or_outside_are_dropped(bare):
    objects = replace(squares(), masks=None) if bare else squares()
    small = view(scale=0.25)  # 2.5 x 5 and 3 x 2 pixels
    assert moved(objects, small, (), 6).labels.tolist() == [1, 0]
    assert moved(objects, small, (), 7).labels.tolist() == [1]
    corner = View(Span.of(40, 18, 0, 18), Span.of(60, 28, 0, 28))
    assert moved(objects, corner, (), 1).labels.tolist() == [1]
    sliver = View(Span.of(40, 40, 0, 40), Span.of(60, 34, 25, 17))  # of the first, ten pixels that are half as wide
    assert moved(objects, sliver, (), 1).labels.tolist() == [0]


@pytest.mark.parametrize("turned", [View(Span.of(40, 18, 0, 9), Span.of(60, 5, 0, 7)), view(scale=0.5, angle=20.0)])
def test_no_objects_are_left_as_empty_tensors_of_the_right_sizes(turned):
    empty = squares().only(torch.zeros(2, dtype=torch.bool))
    gone = moved(squares(), turned, (), 10_000)
    for after in (moved(empty, turned, (), 1), gone):
        assert (len(after), after.boxes.shape, after.keypoints.shape) == (0, (0, 4), (0, 2, 3))
        assert after.masks.shape == (0, turned.rows.length, turned.columns.length)
        assert after.masks.dtype == torch.bool
    assert moved(replace(empty, masks=None), turned, (), 1).masks is None


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float32])
def test_masks_of_any_type_come_out_as_truth_values(dtype):
    turned = view(scale=0.7, angle=20.0)
    after = moved(replace(squares(), masks=squares().masks.to(dtype)), turned, (), 1)
    assert torch.equal(after.masks, moved(squares(), turned, (), 1).masks)


@pytest.mark.parametrize("bend", [0.0, 5.0])
@pytest.mark.parametrize("angle", [0.0, 25.0])
def test_windows_around_objects_miss_no_pixel_of_what_the_whole_plane_shows(angle, bend):
    torch.manual_seed(0)
    coarse = torch.randn(1, 2, 3, 3) * bend
    bent = torch.nn.functional.interpolate(coarse, (50, 45), mode="bicubic", align_corners=True)[0]
    turned = View(Span.of(40, 31, 6, 50), Span.of(60, 70, -5, 45, True), 1.0, angle, bent if bend else None)
    masks = torch.zeros(50, 40, 60, dtype=torch.bool)
    for mask, (y, x) in zip(masks, np.random.default_rng(0).integers(0, (38, 58), (50, 2)), strict=True):
        mask[y : y + 5, x : x + 3] = True
    objects = Instances(torch.zeros(50, 4), torch.arange(50), masks)
    after = moved(objects, turned, (), 1)
    whole = turned.field(tv_tensors.Mask(masks.byte())).as_subclass(Tensor) == 1
    assert after.labels.tolist() == whole.flatten(1).any(1).nonzero().flatten().tolist()
    assert torch.equal(after.masks, whole[after.labels])
    assert 10 < len(after) < 50
    assert after.boxes.tolist() == [list(map(float, box(mask))) for mask in after.masks.numpy()]
