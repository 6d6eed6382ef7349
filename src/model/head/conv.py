"""The usual last layer of a dense model: one convolution from features to scores."""

import math

from jaxtyping import Float
from torch import Tensor, nn


class Conv(nn.Module):
    """1×1 convolution, after dropout of whole channels where `dropout` says so.

    Args:
        dropout: share of channels dropped in training.
        prior: probability that every sigmoid output starts from, so that the many negatives of a rare class do not
            swamp the first steps (Lin et al., 2017); None leaves torch's own initialisation.

    Raises:
        ValueError: `prior` is not between 0 and 1.
    """

    def __init__(
        self, dropout: float = 0.0, prior: float | None = None, *, in_channels: int, out_channels: int
    ) -> None:
        super().__init__()
        self.dropout = nn.Dropout2d(dropout)
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=1)
        if prior is not None:
            if not 0 < prior < 1:
                raise ValueError(f"model.head.prior={prior} is no probability: give a number between 0 and 1, or null")
            nn.init.constant_(self.conv.bias, math.log(prior / (1 - prior)))

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        return self.conv(self.dropout(x))
