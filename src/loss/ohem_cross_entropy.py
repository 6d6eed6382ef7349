"""Cross entropy of the hard pixels only: online hard example mining (Shrivastava et al., 2016), pixel by pixel."""

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

from src.data.description import UNKNOWN
from src.loss.nll import EMPTY, softmax_nll
from src.loss.ranks import across_ranks
from src.loss.stream import stream
from src.loss.target import exclusive


class OhemCrossEntropy(nn.Module):
    """The mean of -log p over the known pixels whose class has a probability below a threshold.

    The threshold is chosen by each process for its own images; the mean is taken over the pixels of all.

    Args:
        threshold: probability above which a pixel is easy.
        min_kept: pixels per image that are kept at least, the hardest of the batch; the threshold rises for them.

    Raises:
        ValueError: a threshold outside (0, 1], or a negative min_kept.
    """

    prices = ("semantic",)

    def __init__(self, threshold: float = 0.7, min_kept: int = 100_000) -> None:
        super().__init__()
        if not 0 < threshold <= 1:
            raise ValueError(f"loss.threshold={threshold} is a probability: it must be above 0 and at most 1")
        if min_kept < 0:
            raise ValueError(f"loss.min_kept={min_kept} is a number of pixels: it must be 0 or more")
        self.threshold = threshold
        self.min_kept = min_kept

    def forward(self, output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b ..."]) -> Float[Tensor, ""]:
        """The loss in nats; 0 where nothing is known or hard. Raises ValueError for overlapping masks."""
        target = exclusive(output, target, "ohem_cross_entropy")
        nll = stream(_rows, output, target, slope=_slope)
        hard = self._hard(nll.detach(), target != UNKNOWN)
        total, count = across_ranks(torch.stack([nll.where(hard, 0).sum(), hard.sum(dtype=nll.dtype)]))
        return total / count.clamp_min(EMPTY)

    def _hard(self, nll: Float[Tensor, "b h w"], known: Tensor) -> Tensor:
        p = torch.exp(-nll)
        easiest = p.masked_fill(~known, 0).max()
        # The first pixel too easy to be kept; if so many are not known, it is the easiest of those that are.
        place = min(self.min_kept * len(nll), nll.numel() - 1) + 1
        kept = p.masked_fill(~known, 2).flatten().topk(place, largest=False, sorted=False).values.max().minimum(easiest)
        return known & (p < kept.clamp_min(self.threshold))


def _rows(output: Tensor, target: Tensor) -> Tensor:
    return softmax_nll(output, target)[0]


def _slope(output: Tensor, target: Tensor, gradient: Tensor) -> Tensor:
    return softmax_nll(output, target)[1].mul_(gradient[:, None])
