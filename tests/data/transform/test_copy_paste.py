from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Tensor
from torchvision import tv_tensors

from src.data.box import box
from src.data.description import Description
from src.data.field import Depth, Quantity
from src.data.sample import Instances, Sample
from src.data.transform import Augment
from src.data.transform.copy_paste import CopyPaste

POSE = {"keypoints": ("left", "right"), "flip_pairs": ((0, 1),), "sigmas": (0.1, 0.1)}
DATA = Description(("image", "mask", "instances"), ("a", "b", "c"), ((0, 0, 0),) * 3, things=("b", "c"), **POSE)
OFF = partial(Augment, scale=(1.0, 1.0), flip=0.0, brightness=0.0, contrast=0.0, class_aware=0.0)


def sample(value: int, label: int, *boxes: tuple[int, int, int, int], size: tuple[int, int] = (20, 30)) -> Sample:
    """An image of one value with rectangles, of which the last is a crowd; keypoints in two of their corners."""
    masks = torch.zeros(len(boxes), *size, dtype=torch.bool)
    for mask, (x0, y0, x1, y1) in zip(masks, boxes, strict=True):
        mask[y0:y1, x0:x1] = True
    edges = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    corners = torch.stack([edges[:, :2], edges[:, 2:] - 1], 1)
    objects = Instances(
        boxes=edges,
        labels=torch.full((len(boxes),), label),
        masks=masks,
        keypoints=torch.cat([corners, torch.full((len(boxes), 2, 1), 2.0)], -1),
        crowd=torch.arange(len(boxes)) == max(len(boxes) - 1, 1),
        areas=masks.flatten(1).sum(1) * 0.5,
    )
    return Sample(
        image=tv_tensors.Image(torch.full((3, *size), value, dtype=torch.uint8)),
        mask=tv_tensors.Mask(masks.any(0).byte() * label),
        instances=objects,
        name=f"{value}",
        size=size,
    )


def paste(size: tuple[int, int] | None = None, augment: partial = OFF, **changes) -> CopyPaste:
    return CopyPaste(augment, size=size, description=DATA, **{"paste": 1.0, **changes})


FIRST = sample(10, 1, (2, 2, 12, 12), (20, 2, 28, 6))
SECOND = sample(200, 2, (7, 2, 12, 12), (14, 14, 18, 18))


def test_what_is_pasted_covers_the_image_and_the_objects_behind_it():
    pasted = paste()(FIRST, SECOND)
    objects, new = pasted.instances, SECOND.instances.masks[0]
    assert torch.equal(pasted.image.as_subclass(Tensor), torch.where(new, 200, 10).byte().expand(3, 20, 30))
    assert torch.equal(pasted.mask.as_subclass(Tensor)[new], torch.full((50,), 2, dtype=torch.uint8))
    assert torch.equal(pasted.mask.as_subclass(Tensor)[~new], FIRST.mask.as_subclass(Tensor)[~new])
    assert objects.labels.tolist() == [1, 1, 2]
    assert objects.boxes.tolist() == [[2, 2, 7, 12], [20, 2, 28, 6], [7, 2, 12, 12]]
    assert objects.masks.flatten(1).sum(1).tolist() == [50, 32, 50]
    assert objects.areas.tolist() == [25, 16, 25]
    assert objects.crowd.tolist() == [False, True, False]
    assert objects.keypoints[..., 2].tolist() == [[2, 1], [2, 2], [2, 2]]  # the second corner of the first lies behind
    assert (type(pasted.image), type(pasted.mask)) == (tv_tensors.Image, tv_tensors.Mask)


def test_an_object_is_dropped_when_more_of_it_is_hidden_than_may_be():
    assert paste(hidden=0.5)(FIRST, SECOND).instances.labels.tolist() == [1, 1, 2]
    assert paste(hidden=0.49)(FIRST, SECOND).instances.labels.tolist() == [1, 2]
    over = sample(200, 2, (0, 0, 15, 15), (0, 0, 1, 1))
    assert paste(hidden=1.0)(FIRST, over).instances.labels.tolist() == [1, 2]  # nothing is left of it


def test_nothing_is_pasted_where_nothing_is_drawn_or_there_but_a_crowd():
    crowd = replace(SECOND, instances=SECOND.instances.only(torch.tensor([1])))
    empty = replace(SECOND, instances=SECOND.instances.only(torch.tensor([], dtype=torch.long)))
    for transform, other in [(paste(paste=0.0), SECOND), (paste(), crowd), (paste(), empty)]:
        after = transform(FIRST, other)
        assert torch.equal(after.image, FIRST.image)
        assert torch.equal(after.instances.masks, FIRST.instances.masks)
        assert torch.equal(after.instances.keypoints, FIRST.instances.keypoints)


def test_objects_are_pasted_into_an_image_without_any():
    empty = replace(FIRST, instances=FIRST.instances.only(torch.tensor([], dtype=torch.long)))
    assert paste()(empty, SECOND).instances.boxes.tolist() == [[7, 2, 12, 12]]


@pytest.mark.parametrize("size", [(12, 9), (40, 40), (20, 31)])
def test_another_size_is_cut_or_filled_up(size):
    for first, second in [(FIRST, sample(200, 2, (1, 1, 8, 8), (8, 8, 9, 9), size=size))] * 2:
        pasted = paste()(first, second)
        assert pasted.image.shape == (3, 20, 30)
        assert pasted.instances.masks.shape[1:] == (20, 30)
        assert pasted.instances.boxes[-1].tolist() == [1, 1, 8, 8]
        assert int((pasted.image[0] == 200).sum()) == 49
        back = paste()(second, first)
        assert back.instances.boxes[-1].tolist() == [2, 2, min(12, size[1]), 12]


@pytest.mark.parametrize("size", [None, (24, 24)])
def test_large_scale_jitter_leaves_masks_boxes_and_pixels_in_agreement(size):
    jitter = partial(OFF, scale=(0.3, 2.0), flip=0.5, min_object=3)
    counts = set()
    for seed in range(30):
        torch.manual_seed(seed)
        pasted = paste(size, jitter, paste=0.5)(FIRST, SECOND)
        masks = pasted.instances.masks
        assert masks.sum(0).max() <= 1  # as before, no pixel belongs to two
        assert pasted.instances.boxes.tolist() == [list(map(float, box(mask))) for mask in masks.numpy()]
        for mask, label in zip(masks, pasted.instances.labels, strict=True):
            assert set(pasted.image.as_subclass(Tensor)[0, mask].tolist()) == {200 if label == 2 else 10}
            assert set(pasted.mask.as_subclass(Tensor)[mask].tolist()) == {int(label)}
        counts.add(len(masks))
    assert len(counts) > 1


def test_the_seed_alone_decides():
    jitter = partial(OFF, scale=(0.5, 1.0))
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(paste(None, jitter, paste=0.5)(FIRST, SECOND))
    assert torch.equal(results[0].instances.boxes, results[1].instances.boxes)
    assert not torch.equal(results[0].instances.boxes, results[2].instances.boxes)


def test_16_bits_are_pasted_too():
    first, second = (replace(each, image=tv_tensors.Image(each.image.to(torch.uint16))) for each in (FIRST, SECOND))
    assert paste()(first, second).image.dtype == torch.uint16


@pytest.mark.parametrize("at", [0, 1])
def test_samples_that_cannot_be_pasted_are_refused(at):
    boxed = replace(FIRST, instances=replace(FIRST.instances, masks=None))
    for wrong, said in [
        (boxed, "'10' has none"),
        (replace(FIRST, instances=None), "'10' has none"),
        (replace(FIRST, depth=Depth(torch.ones(1, 20, 30))), "cannot paste the depth that"),
        (replace(FIRST, values={"albedo": Quantity(torch.ones(3, 20, 30))}), "cannot paste the albedo that"),
    ]:
        pair = [SECOND, SECOND]
        pair[at] = wrong
        with pytest.raises(ValueError, match=said):
            paste()(*pair)


@pytest.mark.parametrize(("name", "value"), [("paste", 1.1), ("hidden", -0.1)])
def test_an_argument_out_of_range_is_refused_when_built(name, value):
    with pytest.raises(ValueError, match=f"^{name}={value}"):
        paste(**{name: value})
