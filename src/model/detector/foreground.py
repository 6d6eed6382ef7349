"""What a region's mask leaves of it: the background becomes the mean (Hariharan et al., 2014)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Foreground(nn.Module):
    """Cells inside the mask as they are, and the mean of all cells ever learned from in place of the others.

    The paper does so with pixels, a crop through the network for each region; this does it with shared features.

    Args:
        channels: of the cells.
        momentum: share of the mean that a batch makes up.
    """

    mean: Tensor

    def __init__(self, channels: int, momentum: float = 0.1) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("mean", torch.zeros(channels))

    @torch.no_grad()
    def learn(self, cells: Float[Tensor, "n c s s"]) -> None:
        """Take the cells into the mean."""
        if len(cells):
            self.mean.lerp_(cells.mean((0, 2, 3)).to(self.mean), self.momentum)

    def forward(self, cells: Float[Tensor, "n c s s"], inside: Float[Tensor, "n 1 s s"]) -> Float[Tensor, "n c s s"]:
        """Cells where `inside` is 1, the mean where it is 0."""
        if self.training:
            self.learn(cells)
        return cells * inside + self.mean[:, None, None].to(cells) * (1 - inside)
