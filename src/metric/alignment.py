"""Predicted depth brought to the scale of the truth, image by image, for networks that cannot know it."""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Align = Literal["none", "median", "least_squares"]


def aligned(
    output: Float[Tensor, " b 1 h w"], target: Float[Tensor, " b 1 h w"], scored: Bool[Tensor, " b 1 h w"], how: str
) -> Float[Tensor, " b 1 h w"]:
    """Each image's output moved to fit its target over the pixels that are scored; an image without any is left alone.

    Args:
        how: `none`; `median` multiplies so that the medians agree (Zhou et al., 2017); `least_squares` takes the
            factor and the shift in metres that make the squared error least (as Marigold is scored, Ke et al., 2024).
    """
    if how == "none":
        return output
    fit = _median if how == "median" else _least_squares
    moved = [
        _fitted(*fit(one[where], truth[where]), one) if where.any() else one
        for one, truth, where in zip(output, target, scored, strict=True)
    ]
    return torch.stack(moved)


def _fitted(factor: Tensor, shift: Tensor, output: Tensor) -> Tensor:
    return (factor * output.double() + shift).to(output.dtype)


def _median(output: Float[Tensor, " n"], target: Float[Tensor, " n"]) -> tuple[Tensor, Tensor]:
    """The factor, and no shift. Of an even number of values the median is the mean of the two in the middle."""
    middle = [(len(output) - 1) // 2, len(output) // 2]
    one, other = (values.double().sort().values[middle].mean() for values in (output, target))
    return other / one, torch.zeros_like(one)


def _least_squares(output: Float[Tensor, " n"], target: Float[Tensor, " n"]) -> tuple[Tensor, Tensor]:
    """Factor and shift; of an output that is the same everywhere, factor 0 and the mean of the target."""
    one, other = output.double(), target.double()
    centred = one - one.mean()
    squares = centred.square().sum()
    factor = torch.where(squares == 0, 0, (centred * other).sum() / squares)
    return factor, other.mean() - factor * one.mean()
