"""A network that costs next to nothing, so that what is timed is the loop around it."""

from jaxtyping import Float
from torch import Tensor, nn


class Tiny(nn.Sequential):
    """Two convolutions."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(nn.Conv2d(in_channels, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, out_channels, 1))

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Logits at the image's size."""
        return super().forward(image)
