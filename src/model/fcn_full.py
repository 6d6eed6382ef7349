"""Convolutions only, at the image's own resolution from beginning to end (the start of Long et al., 2015)."""

from jaxtyping import Float
from torch import Tensor, nn

from src.model.convolution import convolution
from src.model.interface import Norm
from src.model.normalize import Normalize


class FcnFull(nn.Module):
    """3×3 convolutions that never shrink the image, then one of 1×1: a pixel's class from 2·depth + 1 cells around it.

    It normalises the image first, so that what lies beyond the border has the mean colour.

    Args:
        width: channels of every convolution.
        depth: how many 3×3 convolutions there are.
        norm: after each of them.
    """

    def __init__(
        self,
        width: int = 32,
        depth: int = 8,
        norm: Norm | None = nn.BatchNorm2d,
        *,
        in_channels: int,
        out_channels: int,
    ) -> None:
        super().__init__()
        if depth < 1:
            raise ValueError(f"model.depth={depth}: how many 3×3 convolutions there are, at least 1")
        self.normalize = Normalize(in_channels)
        layers = [convolution(width if level else in_channels, width, norm) for level in range(depth)]
        self.convs = nn.Sequential(*layers)
        self.head = nn.Conv2d(width, out_channels, kernel_size=1)

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Image in [0, 1] of any size -> scores at its size."""
        return self.head(self.convs(self.normalize(image)))
