"""Dice of each region."""

import pytest
import torch
from torch.nn import functional as F

from src.loss.roi_dice import RoiDice

SURE = 40.0  # a logit whose probability is 1


def halves() -> tuple[torch.Tensor, torch.Tensor]:
    """A region that is right, and one whose upper half is said and whose left half is true."""
    target = torch.zeros(2, 4, 4)
    target[0, :2], target[1, :, :2] = 1, 1
    said = torch.zeros(2, 4, 4)
    said[:, :2] = 1
    return (2 * said - 1) * SURE, target


def test_each_region_counts_alike():
    output, target = halves()
    loss = RoiDice(smooth=0.0, cross_entropy=0.0)
    assert loss(output, target).item() == pytest.approx((0 + 0.5) / 2)
    assert loss(output[1:], target[1:]).item() == pytest.approx(1 - 2 * 4 / (8 + 8))


def test_smoothing_is_added_above_and_below():
    output, target = halves()
    assert RoiDice(smooth=2.0, cross_entropy=0.0)(output[1:], target[1:]).item() == pytest.approx(1 - 10 / 18)
    empty = torch.full((1, 4, 4), -SURE), torch.zeros(1, 4, 4)
    assert RoiDice(smooth=1.0, cross_entropy=0.0)(*empty).item() == 0


def test_cross_entropy_is_added_with_its_weight():
    generator = torch.Generator().manual_seed(0)
    output, target = torch.randn(3, 7, 7, generator=generator), torch.rand(3, 7, 7, generator=generator)
    alone = RoiDice(cross_entropy=0.0)(output, target)
    both = RoiDice(cross_entropy=0.5)(output, target)
    torch.testing.assert_close(both, alone + 0.5 * F.binary_cross_entropy_with_logits(output, target))
