"""Panoptic quality against torchmetrics', and its corners by hand."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor
from torchmetrics.detection import PanopticQuality
from torchmetrics.utilities import dim_zero_sum

from src.metric.panoptic import Panoptic

THINGS, CLASSES = (1, 3), 5


def blobs(seed: int, images: int = 2) -> tuple[Tensor, Tensor]:
    """Classes (the last never occurs) and numbers, each in areas of its own; numbers of stuff are noise."""
    draw = np.random.default_rng(seed)
    planes = ndimage.gaussian_filter(draw.normal(size=(images, 8, 24, 31)), (0, 0, 3, 3))
    return torch.from_numpy(planes[:, :4].argmax(1)), torch.from_numpy(planes[:, 4:].argmax(1))


def near(maps: tuple[Tensor, Tensor], seed: int) -> tuple[Tensor, Tensor]:
    """The same, moved, with another class in one corner."""
    classes, numbers = (plane.roll(seed % 3, -1).clone() for plane in maps)
    classes[:, :9, :9] = seed % 4
    return classes, numbers


@pytest.mark.parametrize("unknown", [False, True])
def test_as_torchmetrics_has_it(unknown: bool) -> None:
    for seed in range(12):
        target = blobs(seed)
        output = near(target, seed)
        if unknown:
            target[0][:, 5:15, 5:20] = 255
        metric = Panoptic(CLASSES, THINGS)
        metric.update(output, target)
        stuff = set(range(CLASSES)) - set(THINGS)
        theirs = PanopticQuality(set(THINGS), stuff, return_sq_and_rq=True, return_per_class=True)
        theirs.update(torch.stack(output, -1), torch.stack(target, -1))
        expected = theirs.compute()[[theirs.cat_id_to_continuous_id[label] for label in range(CLASSES)]]
        found = metric.compute()
        defined = ~found["pq/class"].isnan()
        assert defined.tolist() == [True] * 4 + [False]
        assert found["pq/class"].nan_to_num(0).tolist() == pytest.approx(expected[:, 0].tolist())
        for column, name in enumerate(("pq", "sq", "rq")):
            assert found[name].item() == pytest.approx(expected[defined, column].mean().item())
            assert found[f"{name}_things"].item() == pytest.approx(expected[list(THINGS), column].mean().item())
            assert found[f"{name}_stuff"].item() == pytest.approx(expected[[0, 2], column].mean().item())


def test_by_hand() -> None:
    """Two cats and grass: one cat is found with IoU 3/4, one is missed for grass, whose IoU is 8/12."""
    target = torch.tensor([[[1] * 4 + [0] * 8 + [1] * 4]]), torch.tensor([[[1] * 4 + [9] * 8 + [2] * 4]])
    output = torch.tensor([[[1] * 3 + [0] * 13]]), torch.tensor([[[7] * 3 + list(range(13))]])
    metric = Panoptic(2, [1])
    metric.update(output, target)
    found = metric.compute()
    assert found["pq/class"].tolist() == pytest.approx([8 / 13, 0.75 / 1.5])
    assert (found["sq_things"], found["rq_things"]) == (pytest.approx(0.75), pytest.approx(2 / 3))
    assert (found["pq_things"], found["pq_stuff"]) == (pytest.approx(0.5), pytest.approx(8 / 13))
    assert found["pq"] == pytest.approx((8 / 13 + 0.5) / 2)


def test_unknown_pixels_count_in_no_union_and_excuse_what_is_mostly_in_them() -> None:
    target = torch.tensor([[[1] * 4 + [255] * 8 + [0] * 4]]), torch.ones(1, 1, 16, dtype=torch.long)
    classes = torch.tensor([[[1] * 6 + [1] * 3 + [0] * 7]])
    numbers = torch.tensor([[[1] * 6 + [2] * 3 + [0] * 7]])
    metric = Panoptic(2, [1])
    metric.update((classes, numbers), target)
    assert metric.compute()["pq/class"].tolist() == [1, 1]
    assert metric.false.tolist() == [0, 0]
    classes[..., 3:6] = 255  # an answer of none is wrong
    metric.reset()
    metric.update((classes, numbers), target)
    assert metric.compute()["pq/class"].tolist() == [1, 0.75]


def test_exactly_half_is_no_match() -> None:
    target = torch.tensor([[[0, 0, 0, 1]]]), torch.zeros(1, 1, 4, dtype=torch.long)
    metric = Panoptic(2, [0, 1])
    metric.update((torch.tensor([[[0, 1, 1, 1]]]), torch.tensor([[[0, 5, 5, 1]]])), target)
    assert (metric.hits.tolist(), metric.false.tolist(), metric.missed.tolist()) == ([0, 1], [1, 1], [1, 0])
    metric.reset()
    metric.update((torch.tensor([[[0, 0, 1, 1]]]), torch.zeros(1, 1, 4, dtype=torch.long)), target)
    assert metric.hits.tolist() == [1, 0]


def test_division_into_batches_and_processes() -> None:
    target = blobs(3, images=4)
    output = near(target, 4)
    whole, one, other = (Panoptic(CLASSES, THINGS) for _ in range(3))
    whole.update(output, target)
    one.update(*(tuple(plane[:1] for plane in maps) for maps in (output, target)))
    other.update(*(tuple(plane[1:] for plane in maps) for maps in (output, target)))
    assert set(one._reductions.values()) == {dim_zero_sum}
    for name in one._reductions:
        setattr(one, name, getattr(one, name) + getattr(other, name))  # what torchmetrics does with all processes'
    assert one.compute()["pq"] == pytest.approx(whole.compute()["pq"])
    assert torch.equal(one.hits, whole.hits)


def test_nothing_is_nan_and_strangers_are_refused() -> None:
    empty = torch.full((1, 2, 2), 255), torch.zeros(1, 2, 2, dtype=torch.long)
    metric = Panoptic(2, [1])
    metric.update(empty, empty)
    assert math.isnan(metric.compute()["pq"])
    with pytest.raises(ValueError, match="4 pixels of the target are neither a class"):
        metric.update(empty, (torch.full((1, 2, 2), 2), empty[1]))
    with pytest.raises(ValueError, match=r"the output is \(1, 2, 3\) and the target \(1, 2, 2\)"):
        Panoptic.update.__wrapped__(metric, empty, (torch.zeros(1, 2, 3, dtype=torch.long), empty[1]))
