"""Weights that let rare classes speak, from how often each class occurs."""

from typing import Any

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

# As published for CamVid's 11 classes (Badrinarayanan et al., 2017); the training set's own labels give others.
SEGNET = (0.2595, 0.1826, 4.5640, 0.1417, 0.9051, 0.3826, 9.6446, 1.8418, 0.6823, 6.2478, 7.3614)


def make_room(loss: nn.Module, state: dict[str, Any], prefix: str) -> None:
    """Bring the loss's `weight`, where it is not known yet, to the length of the stored one, so that it is loaded."""
    stored = state.get(prefix + "weight")
    if stored is not None and not len(loss.weight):
        loss.weight = torch.zeros_like(stored, device=loss.weight.device)


def inverse(pixels: Integer[Tensor, " k"]) -> Float[Tensor, " k"]:
    """All pixels / (number of classes that occur · pixels of the class): the mean weight of a pixel is 1.

    A class that never occurs weighs 0, here and below: nothing tells what it should.
    """
    return _where_present(pixels, pixels.sum() / ((pixels > 0).sum() * pixels.double()))


def median_frequency(pixels: Integer[Tensor, " k"], image_pixels: Integer[Tensor, " k"]) -> Float[Tensor, " k"]:
    """Median of the frequencies / frequency (Eigen & Fergus, 2015), counted in the images that hold the class."""
    frequency = pixels.double() / image_pixels
    median = frequency[pixels > 0].quantile(0.5) if (pixels > 0).any() else 0
    return _where_present(pixels, median / frequency)


def effective_number(pixels: Integer[Tensor, " k"], beta: float) -> Float[Tensor, " k"]:
    """(1 - beta) / (1 - beta^pixels), scaled so that the mean weight of a class that occurs is 1 (Cui et al., 2019)."""
    weights = _where_present(pixels, 1 / (1 - beta ** pixels.double()))
    return weights * (pixels > 0).sum() / weights.sum().clamp_min(1)


def _where_present(pixels: Tensor, weights: Tensor) -> Tensor:
    return weights.where(pixels > 0, 0).float()
