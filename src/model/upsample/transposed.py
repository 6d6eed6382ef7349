"""Transposed convolution: the gradient of a strided convolution, used forward (Zeiler et al., 2010)."""

from jaxtyping import Float
from torch import Tensor, nn

from src.model.interface import Pool


class Transposed(nn.Module):
    """A learned stride-1/scale convolution.

    Args:
        kernel_size: width of the filter, at least `scale`; None takes 2·scale (2·scale - 1 for an odd scale), whose
            windows overlap evenly and so do not start with a checkerboard.

    Raises:
        ValueError: `kernel_size` is below `scale`: some cells would be reached by no weight.
    """

    def __init__(self, kernel_size: int | None = None, *, channels: int, scale: int) -> None:
        super().__init__()
        kernel = kernel_size or 2 * scale - scale % 2
        if kernel < scale:
            raise ValueError(f"model.upsample.kernel_size={kernel} leaves gaps at scale {scale}: give at least {scale}")
        padding = (kernel - scale + 1) // 2
        self.conv = nn.ConvTranspose2d(
            channels, channels, kernel, stride=scale, padding=padding, output_padding=scale - kernel + 2 * padding
        )

    def forward(
        self, x: Float[Tensor, "b c h w"], size: tuple[int, int], pool: Pool | None = None
    ) -> Float[Tensor, "b c i j"]:
        return self.conv(x)[..., : size[0], : size[1]]
