"""Transposed convolution that starts as, or stays, bilinear interpolation (Long et al., 2015)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from src.model.interface import Pool


class BilinearDeconv(nn.Module):
    """One bilinear filter of 2·scale (2·scale - 1 for an odd scale) cells per channel; channels never mix.

    Args:
        trainable: whether the filters are learned from there on; fixed ones are no parameters.
    """

    weight: Tensor

    def __init__(self, trainable: bool = False, *, channels: int, scale: int) -> None:
        super().__init__()
        kernel = 2 * scale - scale % 2
        self.scale, self.padding = scale, (kernel - scale) // 2
        weight = bilinear_filter(kernel).repeat(channels, 1, 1, 1)
        if trainable:
            self.weight = nn.Parameter(weight)
        else:
            self.register_buffer("weight", weight, persistent=False)

    def forward(
        self, x: Float[Tensor, "b c h w"], size: tuple[int, int], pool: Pool | None = None
    ) -> Float[Tensor, "b c i j"]:
        top = left = self.padding
        return self.full(x)[..., top : top + size[0], left : left + size[1]]

    def full(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        """The whole response of (h - 1)·scale + kernel cells, before `forward` cuts it."""
        return F.conv_transpose2d(x, self.weight, stride=self.scale, groups=len(self.weight))


def bilinear_filter(kernel_size: int) -> Float[Tensor, "k k"]:
    """Weights of a bilinear interpolation by (kernel_size + 1) // 2, centred in the filter (Long et al., 2015)."""
    factor = (kernel_size + 1) // 2
    centre = factor - 1 if kernel_size % 2 else factor - 0.5
    line = 1 - (torch.arange(kernel_size) - centre).abs() / factor
    return line[:, None] * line
