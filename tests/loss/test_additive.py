"""Means of parts, weighted by what each divides by, are the mean of the whole: so batches and processes add up."""

import pytest
import torch
from torch import Tensor, nn

from src.loss.binary_cross_entropy import BinaryCrossEntropy
from src.loss.border_cross_entropy import BorderCrossEntropy
from src.loss.cross_entropy import CrossEntropy
from src.loss.dice import Dice
from src.loss.focal import Focal
from src.loss.lovasz import Lovasz
from src.loss.ohem_cross_entropy import OhemCrossEntropy
from src.loss.weighted_cross_entropy import WeightedCrossEntropy

WEIGHTS = [0.5, 1.0, 2.0, 4.0, 8.0]
ADDITIVE = {
    "cross_entropy": CrossEntropy(),
    "smoothed": CrossEntropy(label_smoothing=0.1),
    "weighted_cross_entropy": WeightedCrossEntropy(WEIGHTS),
    "weighted_mean": WeightedCrossEntropy(WEIGHTS, "weighted_mean"),
    "border_cross_entropy": BorderCrossEntropy(balance=False),
    "border_weighted_mean": BorderCrossEntropy(balance=False, reduction="weighted_mean"),
    "binary_cross_entropy": BinaryCrossEntropy(),
    "focal": Focal(),
}
OTHER = {"dice": Dice(), "lovasz": Lovasz(), "ohem_cross_entropy": OhemCrossEntropy(min_kept=10)}


def total_weight(loss: nn.Module, target: Tensor) -> Tensor:
    return loss.total_weight(target) if hasattr(loss, "total_weight") else (target != 255).sum()


def halves(loss: nn.Module, output: Tensor, target: Tensor) -> Tensor:
    parts = [
        (loss(*part), total_weight(loss, part[1])) for part in ((output[:1], target[:1]), (output[1:], target[1:]))
    ]
    return sum(value * weight for value, weight in parts) / sum(weight for _, weight in parts)


@pytest.mark.parametrize("loss", ADDITIVE.values(), ids=ADDITIVE)
def test_parts_make_the_whole(scene, loss):
    output, target = scene
    target[0, :5] = 255  # parts of unequal weight
    target[0, 5:] = target[0, 5:].where(target[0, 5:] == 255, 3)
    whole, parts = loss(output, target), halves(loss, output, target)
    torch.testing.assert_close(parts, whole, rtol=1e-6, atol=0)
    gradients = [torch.autograd.grad(value, output)[0] for value in (whole, parts)]
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("loss", OTHER.values(), ids=OTHER)
def test_those_named_as_not_additive_are_not(scene, loss):
    output, target = scene
    assert abs(halves(loss, output, target) / loss(output, target) - 1) > 1e-3


def test_weight_of_nothing_is_nothing():
    assert ADDITIVE["weighted_mean"].total_weight(torch.full((1, 2, 2), 255, dtype=torch.uint8)) == 0
