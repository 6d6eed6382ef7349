"""Weights that a person chose."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Fixed(nn.Module):
    """weight · loss.

    Args:
        weights: by field.
        fields: those that have a loss.

    Raises:
        ValueError: a field has no weight.
    """

    compares_gradients = False
    rate = 1.0

    def __init__(self, weights: Mapping[str, float], *, fields: Sequence[str]) -> None:
        super().__init__()
        missing = [field for field in fields if field not in weights]
        if missing:
            raise ValueError(
                f"loss.weighting.weights names {', '.join(weights)}, and task.fields {missing[0]} as well: give it a "
                f"weight, +loss.weighting.weights.{missing[0]}=1"
            )
        self._weights = {field: torch.tensor(float(weights[field])) for field in fields}

    @property
    def weights(self) -> dict[str, Float[Tensor, ""]]:
        return self._weights

    def forward(
        self, losses: Mapping[str, Float[Tensor, ""]], shared: Sequence[Tensor] = ()
    ) -> dict[str, Float[Tensor, ""]]:
        return {field: self._weights[field] * loss for field, loss in losses.items()}
