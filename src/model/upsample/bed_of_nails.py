"""Bed-of-nails upsampling: values stand alone among zeros, and a convolution learns to fill the gaps."""

from jaxtyping import Float
from torch import Tensor, nn

from src.model.interface import Pool


class BedOfNails(nn.Module):
    """Each value goes to the top left of its scale×scale cell, then a convolution that reaches the next value."""

    def __init__(self, *, channels: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.conv = nn.Conv2d(channels, channels, kernel_size=2 * scale - 1, padding=scale - 1)

    def forward(
        self, x: Float[Tensor, "b c h w"], size: tuple[int, int], pool: Pool | None = None
    ) -> Float[Tensor, "b c i j"]:
        return self.conv(nails(x, self.scale)[..., : size[0], : size[1]])


def nails(x: Float[Tensor, "b c h w"], scale: int) -> Float[Tensor, "b c i j"]:
    """The map enlarged `scale` times: values at the top left of each cell, zeros elsewhere."""
    b, c, h, w = x.shape
    out = x.new_zeros(b, c, h * scale, w * scale)
    out[..., ::scale, ::scale] = x
    return out
