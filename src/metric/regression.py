"""How well one float field was predicted: errors and the coefficient of determination, over all values of a set."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torchmetrics import Metric

from src.metric.count import same_shape


class Regression(Metric):
    """A score of errors, pooled over all known values of all pixels, channels and images.

    The targets' variance is kept as count, mean and sum of squares about the mean, which merge without the loss of
    digits that a difference of two large sums suffers (Chan et al., 1983), so that batches and processes add up. All
    of them have equal states, so that one serves many. They are float64, which Apple's accelerators lack.
    """

    is_differentiable = False
    full_state_update = False
    moments: Tensor
    errors: Tensor

    def __init__(self, score: Callable[[Tensor, Tensor], Tensor], **options: Any) -> None:
        """Start at nothing.

        Args:
            score: (moments [3]: count, mean and squares about it of the targets; errors [2]: sum of absolute and of
                squared ones) -> what `compute` gives.
            options: see `torchmetrics.Metric`.
        """
        super().__init__(**options)
        self.score = score
        self.add_state("moments", torch.zeros(3, dtype=torch.float64), dist_reduce_fx=merged)
        self.add_state("errors", torch.zeros(2, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, output: Float[Tensor, " b c h w"], target: Float[Tensor, " b c i j"]) -> None:
        """Add a batch; a target that is NaN is unknown. Raises ValueError where the shapes differ."""
        same_shape(output, target)
        unknown = target.isnan()
        count = (~unknown).sum().double()
        values = target.double().masked_fill_(unknown, 0)
        errors = (output - values).masked_fill_(unknown, 0)
        mean = values.sum() / count.clamp_min(1)
        squares = (values - mean).masked_fill_(unknown, 0).square().sum()
        self.moments = merged(torch.stack([self.moments, torch.stack([count, mean, squares])]))
        self.errors += torch.stack([errors.abs().sum(), errors.square().sum()])

    def compute(self) -> Tensor:
        """The score; NaN where nothing is known."""
        return self.score(self.moments, self.errors)


def merged(parts: Float[Tensor, " n 3"]) -> Float[Tensor, " 3"]:
    """Count, mean and squares about the mean of several sets taken together."""
    counts, means, squares = parts.unbind(1)
    count = counts.sum()
    mean = (counts * means).sum() / count.clamp_min(1)
    return torch.stack([count, mean, (squares + counts * (means - mean).square()).sum()])


def r2(moments: Tensor, errors: Tensor) -> Float[Tensor, ""]:
    """1 - squared errors by the targets' squares about their one mean; NaN where all targets are equal."""
    return torch.where(moments[2] > 0, 1 - errors[1] / moments[2], torch.nan)


def rmse(moments: Tensor, errors: Tensor) -> Float[Tensor, ""]:
    """The root of the mean squared error, in the field's unit."""
    return (errors[1] / moments[0]).sqrt()


def mae(moments: Tensor, errors: Tensor) -> Float[Tensor, ""]:
    """The mean absolute error, in the field's unit."""
    return errors[0] / moments[0]


def known(moments: Tensor, errors: Tensor) -> Float[Tensor, ""]:
    """How many values there are."""
    return moments[0]


SCORES = {"r2": r2, "rmse": rmse, "mae": mae, "known": known}
