"""Soft Dice (Milletari et al., 2016) of each region's mask, beside binary cross entropy or in its place."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class RoiDice(nn.Module):
    """1 - (2 Σ yŷ + smooth) / (Σ y² + Σ ŷ² + smooth) of each region, averaged: a small object counts as a large one.

    Args:
        smooth: cells added above and below.
        cross_entropy: weight of the mean binary cross entropy that is added; 0 for Dice alone.
    """

    def __init__(self, smooth: float = 1.0, cross_entropy: float = 1.0) -> None:
        super().__init__()
        self.smooth, self.cross_entropy = smooth, cross_entropy

    def forward(self, output: Float[Tensor, "n h w"], target: Float[Tensor, "n h w"]) -> Float[Tensor, ""]:
        """Logits, and what they ought to say, 0 to 1 -> the loss; there has to be a region."""
        p, y = output.sigmoid().flatten(1), target.flatten(1)
        both, sizes = (p * y).sum(1), p.square().sum(1) + y.square().sum(1)
        dice = (1 - (2 * both + self.smooth) / (sizes + self.smooth)).mean()
        if self.cross_entropy == 0:
            return dice
        return dice + self.cross_entropy * F.binary_cross_entropy_with_logits(output, target)
