"""Weights that are learnt as the uncertainty of each field (Kendall et al., 2018)."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Uncertainty(nn.Module):
    """L / σ² + log σ, with s = log σ² learnt for each field.

    At the best s the weight is 1 / (2 L): a field counts by its relative progress, whatever the unit of its loss. The
    paper halves L where it is a regression's; that moves s by log 2 and leaves those weights as they are. A loss that
    may fall below 0, such as a likelihood's, would be weighed without end.

    Args:
        rate: of learning s, relative to the model's.
        fields: those that have a loss.
    """

    compares_gradients = False

    def __init__(self, rate: float = 10.0, *, fields: Sequence[str]) -> None:
        super().__init__()
        self.rate, self._fields = rate, tuple(fields)
        self.log_variances = nn.Parameter(torch.zeros(len(self._fields)))

    @property
    def weights(self) -> dict[str, Float[Tensor, ""]]:
        return dict(zip(self._fields, (-self.log_variances.detach()).exp(), strict=True))

    def forward(
        self, losses: Mapping[str, Float[Tensor, ""]], shared: Sequence[Tensor] = ()
    ) -> dict[str, Float[Tensor, ""]]:
        """The terms, in which s has a gradient of 0 where a loss is 0: nothing of that field is known."""
        found = {}
        for field, s in zip(self._fields, self.log_variances, strict=True):
            loss = losses[field]
            found[field] = (-s).exp() * loss + s / 2 * (loss.detach() != 0)
        return found
