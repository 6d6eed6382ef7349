"""Tversky loss (Salehi et al., 2017) and its focal form (Abraham & Khan, 2019): Dice with a price for each error."""

from jaxtyping import Float, Integer
from torch import Tensor, nn

from src.loss.overlap import Overlap, quotient


class Tversky(nn.Module):
    """(1 - (TP + smooth) / (TP + alpha FP + beta FN + smooth))^gamma, the mean over the classes present.

    With alpha = beta = 0.5 it is Dice, with 1 and 1 it is 1 - IoU.

    Args:
        alpha: the price of a false positive.
        beta: the price of a false negative.
        gamma: 1 in the first paper, 3/4 in the second.
        smooth: pixels added above and below.
        per, absent, include_background: see `Overlap`.

    Raises:
        ValueError: a negative price, or a gamma that is not positive.
    """

    prices = ("semantic",)

    def __init__(
        self,
        alpha: float = 0.3,
        beta: float = 0.7,
        gamma: float = 1.0,
        smooth: float = 0.0,
        per: str = "batch",
        absent: str = "exclude",
        include_background: bool = True,
    ) -> None:
        super().__init__()
        if min(alpha, beta) < 0:
            raise ValueError(f"loss.alpha={alpha} and loss.beta={beta} are prices of errors: neither may be negative")
        if gamma <= 0:
            raise ValueError(f"loss.gamma={gamma} must be above 0")
        self.alpha = alpha
        self.beta = beta
        self.gamma = gamma
        self.smooth = smooth
        self.overlap = Overlap(per, absent, include_background)

    def forward(self, output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b ..."]) -> Float[Tensor, ""]:
        """The loss in [0, 1]; 0 where nothing is known. Raises ValueError for a target that does not fit."""
        both, predicted, actual = self.overlap.sums(output, target)
        errors = self.alpha * (predicted - both) + self.beta * (actual - both)
        losses = quotient(errors, both + errors + self.smooth)
        if self.gamma != 1:  # the slope of a root is infinite at 0
            losses = losses.clamp_min(1e-6) ** self.gamma
        return self.overlap.mean(losses, actual)
