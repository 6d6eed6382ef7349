"""Smooth L1 of a and b: quadratic near nothing and linear beyond (Girshick, 2015), as colour by regression."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from src.data.gamut import FULL
from src.loss.nll import reduced
from src.loss.total import total


class SmoothL1(nn.Module):
    """The mean over pixels, a and b of the smooth L1 distance between the output and a and b divided by 110.

    Args:
        beta: the distance at which it turns from quadratic to linear; 0 is L1. Of 110: 0.1 is 11 units of a and b.

    Raises:
        ValueError: a negative beta.
    """

    prices = ("colorization",)
    channels = 2

    def __init__(self, beta: float | int = 0.1) -> None:
        super().__init__()
        if not beta >= 0:
            raise ValueError(f"loss.beta={beta} must be 0 or more")
        self.beta = beta

    def forward(self, output: Float[Tensor, "b 2 h w"], ab: Float[Tensor, "b 2 h w"]) -> Float[Tensor, ""]:
        """The loss, without a unit."""
        distance = total(partial(_rows, beta=self.beta), output, ab)
        return reduced(distance, distance.new_tensor(ab.numel()), "mean")


def _rows(output: Tensor, ab: Tensor, beta: float) -> tuple[Tensor, Tensor]:
    """The distance of each pixel [1 r w], and its slope [1 2 r w]."""
    difference = output.float() - ab.float() / FULL
    size = difference.abs()
    if beta == 0:
        return size.sum(1), difference.sign()
    distance = torch.where(size < beta, difference.square() / (2 * beta), size - beta / 2)
    return distance.sum(1), (difference / beta).clamp(-1, 1)
