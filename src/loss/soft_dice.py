"""Soft Dice loss (Milletari et al., 2016): the sums in the denominator are of squares."""

from jaxtyping import Float, Integer
from torch import Tensor, nn

from src.loss.overlap import Overlap, quotient


class SoftDice(nn.Module):
    """1 - (2 Σ yŷ + smooth) / (Σ y² + Σ ŷ² + smooth), the mean over the classes present.

    Args:
        smooth: pixels added above and below.
        per, absent, include_background: see `Overlap`.
    """

    prices = ("semantic",)

    def __init__(
        self, smooth: float = 0.0, per: str = "batch", absent: str = "exclude", include_background: bool = True
    ) -> None:
        super().__init__()
        self.smooth = smooth
        self.overlap = Overlap(per, absent, include_background)

    def forward(self, output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b ..."]) -> Float[Tensor, ""]:
        """The loss in [0, 1]; 0 where nothing is known. Raises ValueError for a target that does not fit."""
        both, predicted, actual = self.overlap.sums(output, target, squared=True)
        size = predicted + actual  # y is 0 or 1, its own square
        return self.overlap.mean(quotient(size - 2 * both, size + self.smooth), actual)
