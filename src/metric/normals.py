"""How far surface normals are off, in degrees, over all pixels of a set (as Fouhey et al., 2013, count)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torchmetrics import Metric

from src.data.direction import angle
from src.metric.count import histogram, same_shape

_PER_DEGREE = 100  # bins
_BINS = 180 * _PER_DEGREE


class Normals(Metric):
    """A score of the angles between answers and targets, pooled over all known pixels of all images.

    Its state is a histogram of angles in bins of 0.01 degrees, and their sum and sum of squares: so shares and the
    number of pixels are integers' ratios, mean and rmse are of the angles themselves, and any number of processes and
    any division into batches gives the same. All of them have equal states, so that one serves many. The sums are
    float64, which Apple's accelerators lack.
    """

    is_differentiable = False
    full_state_update = False
    counts: Tensor
    sums: Tensor

    def __init__(self, score: Callable[[Tensor, Tensor], Tensor], **options: Any) -> None:
        """Start at nothing.

        Args:
            score: (counts int64 [18000], sums float64 [2]: of angles and of their squares) -> what `compute` gives.
            options: see `torchmetrics.Metric`.
        """
        super().__init__(**options)
        self.score = score
        self.add_state("counts", torch.zeros(_BINS, dtype=torch.int64), dist_reduce_fx="sum")
        self.add_state("sums", torch.zeros(2, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, output: Float[Tensor, " b 3 h w"], target: Float[Tensor, " b 3 i j"]) -> None:
        """Add a batch.

        Args:
            output: of any length; (0, 0, 0) is 90 degrees off, what is not finite 180.
            target: unit normals, 0 unknown.

        Raises:
            ValueError: the shapes differ.
        """
        same_shape(output, target)
        unknown = (target == 0).all(1)
        degrees = angle(output.float(), target.float()).rad2deg().nan_to_num(180.0)
        bins = (degrees * _PER_DEGREE).int().clamp_(max=_BINS - 1).masked_fill_(unknown, _BINS)
        self.counts += histogram(bins.flatten(), _BINS + 1)[:-1]  # without reading anything back from a device
        degrees = degrees.masked_fill_(unknown, 0).double()
        self.sums += torch.stack([degrees.sum(), degrees.square().sum()])

    def compute(self) -> Tensor:
        """The score; NaN where nothing is known."""
        return self.score(self.counts, self.sums)


def mean(counts: Tensor, sums: Tensor) -> Float[Tensor, ""]:
    """Of the angles, in degrees."""
    return sums[0] / counts.sum()


def rmse(counts: Tensor, sums: Tensor) -> Float[Tensor, ""]:
    """The root of the mean squared angle, in degrees."""
    return (sums[1] / counts.sum()).sqrt()


def median(counts: Tensor, sums: Tensor) -> Float[Tensor, ""]:
    """The middle of the bin that holds the middle angle: within half a bin, 0.005 degrees, of the lower median."""
    below, total = counts.cumsum(0), counts.sum()
    middle = (below < (total + 1) // 2).sum()
    return torch.where(total > 0, (middle.to(sums) + 0.5) / _PER_DEGREE, torch.nan)


def share(counts: Tensor, sums: Tensor, below: float) -> Float[Tensor, ""]:
    """Of the angles below so many degrees, a multiple of 0.01."""
    return counts[: round(below * _PER_DEGREE)].sum() / counts.sum().to(sums)


def pixels(counts: Tensor, sums: Tensor) -> Float[Tensor, ""]:
    """How many angles there are."""
    return counts.sum().to(sums)


SCORES = {
    "under_11_25": partial(share, below=11.25),
    "under_5": partial(share, below=5.0),
    "under_7_5": partial(share, below=7.5),
    "under_22_5": partial(share, below=22.5),
    "under_30": partial(share, below=30.0),
    "mean_angle": mean,
    "median_angle": median,
    "rmse_angle": rmse,
    "pixels": pixels,
}
