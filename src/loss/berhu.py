"""The reverse Huber loss (Owen, 2007), with the bend of FCRN (Laina et al., 2016)."""

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn

from src.loss.known import mean, paired, zeroed
from src.loss.nll import EMPTY
from src.loss.stream import cut, pieces


class Berhu(nn.Module):
    """|d| up to c and (d² + c²) / 2c beyond, d = output - target; the mean over the known values of the batch.

    c is a share of the largest |d| of the batch, that of this process alone where there are several, and for the
    gradient a constant.

    Args:
        threshold: the share.

    Raises:
        ValueError: a share outside [0, 1].
    """

    prices = ("depth", "normals", "regression")

    def __init__(self, threshold: float = 0.2) -> None:
        super().__init__()
        if not 0 <= threshold <= 1:
            raise ValueError(f"loss.threshold={threshold} is the share of the largest error: it must lie in [0, 1]")
        self.threshold = threshold

    def forward(self, output: Float[Tensor, "b c h w"], target: Float[Tensor, "b ..."]) -> Float[Tensor, ""]:
        """The loss, NaN being unknown in the target; 0 where nothing is known. Raises ValueError for other shapes."""
        bend = self.threshold * _largest(output, paired(output, target))
        return mean(partial(_priced, bend=bend.clamp_min(EMPTY)), output, target)


def _largest(output: Tensor, target: Tensor) -> Tensor:
    """The largest |d|; taken piece by piece, without a copy of the output."""
    parts = [zeroed(torch.sub(*cut(piece, output, target))).abs_().amax() for piece in pieces(output)]
    return torch.stack(parts).amax()


def _priced(error: Tensor, bend: Tensor) -> tuple[Tensor, Tensor]:
    size = error.abs()
    beyond = (size - bend).relu_()
    return size + beyond.square() / (2 * bend), error.sign() * (1 + beyond / bend)
