"""Atrous spatial pyramid pooling: one map seen with several fields of view at once (Chen et al., 2017)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from src.model.atrous import atrous
from src.model.interface import Norm


class Aspp(nn.Module):
    """A 1×1 convolution, a dilated 3×3 one per rate and the mean of the whole map, concatenated and projected.

    The mean is a single cell, which a batch norm cannot learn from where the batch is one image: its convolution has a
    bias instead of a norm.

    Args:
        rates: dilations of the 3×3 convolutions, in cells.
        dropout: share of the result dropped in training.
        separable: whether the 3×3 convolutions are depthwise separable.
        norm: of each other convolution; None for none.
    """

    def __init__(
        self,
        rates: Sequence[int],
        dropout: float,
        separable: bool,
        norm: Norm | None,
        *,
        in_channels: int,
        out_channels: int,
    ) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [
                atrous(in_channels, out_channels, norm, kernel_size=1),
                *(atrous(in_channels, out_channels, norm, rate=rate, separable=separable) for rate in rates),
            ]
        )
        self.mean = nn.Sequential(nn.AdaptiveAvgPool2d(1), atrous(in_channels, out_channels, None, kernel_size=1))
        self.project = nn.Sequential(
            atrous((len(rates) + 2) * out_channels, out_channels, norm, kernel_size=1), nn.Dropout(dropout)
        )

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        mean = self.mean(x).expand(-1, -1, *x.shape[-2:])
        return self.project(torch.cat([*(branch(x) for branch in self.branches), mean], dim=1))
