"""Sub-pixel convolution (Shi et al., 2016)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from src.model.interface import Pool


class PixelShuffle(nn.Module):
    """A 3×3 convolution computes scale² values per cell, which are laid out as its scale×scale sub-pixels."""

    def __init__(self, *, channels: int, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.conv = nn.Conv2d(channels, channels * scale**2, kernel_size=3, padding=1)

    def forward(
        self, x: Float[Tensor, "b c h w"], size: tuple[int, int], pool: Pool | None = None
    ) -> Float[Tensor, "b c i j"]:
        return F.pixel_shuffle(self.conv(x), self.scale)[..., : size[0], : size[1]]
