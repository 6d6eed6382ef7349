"""Gradient matching at several scales (Li and Snavely, 2018); with squares at one, as in Eigen and Fergus (2015)."""

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

from src.loss.known import counts, fault, paired, weight, zeroed
from src.loss.nll import check_choice, reduced
from src.loss.total import total


class Gradient(nn.Module):
    """Σ (|∂x d| + |∂y d|) / n, d = output - target, n known values; summed over scales, or with squares instead.

    A derivative is the difference of two neighbours, both of which are known. Scale k sees every 2^k-th row and
    column, and its sum counts 4^k times, because it has so many fewer values.

    Args:
        scales: how many, from the finest on; MegaDepth and MiDaS take 4.
        squared: (∂x d)² + (∂y d)².
        per: `batch` divides by the known values of all images of all processes, `sample` divides for each image and
            takes the mean over the images that have any.

    Raises:
        ValueError: no scale, or an unknown word.
    """

    prices = ("depth", "normals", "regression")

    def __init__(self, scales: int = 4, squared: bool = False, per: str = "batch") -> None:
        super().__init__()
        if scales < 1:
            raise ValueError(f"loss.scales={scales}: at least 1, the finest")
        check_choice("per", per, ("batch", "sample"))
        self.scales, self.squared, self.per = scales, squared, per

    def forward(self, output: Float[Tensor, "b c h w"], target: Float[Tensor, "b ..."]) -> Float[Tensor, ""]:
        """The loss, NaN being unknown in the target; 0 where nothing is known. Raises ValueError for other shapes."""
        target = paired(output, target)
        rows = partial(_rows, size=output.shape[2:], scales=self.scales, squared=self.squared)
        worth = self._worth(target).expand(-1, output.shape[1], -1, -1)
        # A channel is one row here: its neighbours are wanted together.
        flat = [tensor.flatten(2)[:, None] for tensor in (output, target, worth)]
        values = target[0].numel() if self.per == "sample" else 1
        return reduced(total(rows, *flat), values * self.total_weight(target), "mean")

    def _worth(self, target: Tensor) -> Float[Tensor, "b 1 1 1"]:
        """What an image's differences count; per sample the more, the less is known, but near 1: a half can hold it."""
        known = counts(target)[:, None, None, None]
        return target[0].numel() / known.clamp_min(1) if self.per == "sample" else torch.ones_like(known).float()

    def total_weight(self, target: Float[Tensor, "b c h w"]) -> Integer[Tensor, ""]:
        """What the mean divides by."""
        return weight(target, self.per)


def _rows(
    output: Tensor, target: Tensor, worth: Tensor, size: Sequence[int], scales: int, squared: bool
) -> tuple[Tensor, Tensor]:
    """The sum of the differences in some channels of an image, and its slope."""
    difference = (output - target).view(-1, *size)
    total, slope = fault(output), torch.zeros_like(difference)
    for scale in range(scales):
        sparse = (..., slice(None, None, 2**scale), slice(None, None, 2**scale))
        for axis in (1, 2):
            steps = zeroed(difference[sparse].diff(dim=axis))
            place, count, weight = slope[sparse], steps.shape[axis], 4**scale
            total = total + weight * (steps.square() if squared else steps.abs()).sum()
            pull, weight = (steps, 2 * weight) if squared else (steps.sign_(), weight)
            place.narrow(axis, 1, count).add_(pull, alpha=weight)
            place.narrow(axis, 0, count).sub_(pull, alpha=weight)
    worth = worth.to(slope.dtype)
    return worth[:, :, 0] * total, slope.view_as(output).mul_(worth)
