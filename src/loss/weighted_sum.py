"""Several losses at once, each with its weight."""

from collections.abc import Mapping

from jaxtyping import Float, Num
from torch import Tensor, nn


class WeightedSum(nn.Module):
    """Σ weight · loss.

    Args:
        losses: by the name under which each is logged.
        weights: by the same names.

    Raises:
        ValueError: a loss without a weight, or a weight without a loss.
    """

    def __init__(self, losses: Mapping[str, nn.Module], weights: Mapping[str, float]) -> None:
        super().__init__()
        if not losses or set(losses) != set(weights):
            raise ValueError(
                f"loss.losses are {sorted(losses)} and loss.weights {sorted(weights)}: give each loss a weight"
            )
        self.losses = nn.ModuleDict(losses)
        self.weights = dict(weights)

    def terms(self, output: Float[Tensor, "b k h w"], target: Num[Tensor, "b ..."]) -> dict[str, Float[Tensor, ""]]:
        """Each loss by its name, before it is weighted."""
        return {name: loss(output, target) for name, loss in self.losses.items()}

    def forward(self, output: Float[Tensor, "b k h w"], target: Num[Tensor, "b ..."]) -> Float[Tensor, ""]:
        """The weighted sum of the terms. Raises what the losses raise."""
        return sum(self.weights[name] * term for name, term in self.terms(output, target).items())
