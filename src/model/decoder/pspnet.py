"""PSPNet's pyramid pooling: what is around a cell, near and far, beside the cell itself (Zhao et al., 2017)."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from src.model.atrous import atrous
from src.model.convolution import convolution
from src.model.interface import Norm, Pools, Upsample


class Pspnet(nn.Module):
    """Means of the deepest feature over grids of several sizes, laid over it again, and a classifier on all of it.

    It reads one feature, on any backbone; the paper's is ÷8. What it returns are scores at full resolution, enlarged
    at once as the paper does: `model/head=identity` goes with it. The paper's second, auxiliary loss is left out.

    A grid of a single cell gives batch norm nothing to learn from where the batch is one image: it has a bias instead.

    Args:
        bins: cells along each side of the grids.
        width: channels of the layer that the classifier reads.
        dropout: share of its channels dropped in training.
        norm: of each convolution; None for none.
    """

    def __init__(
        self,
        bins: Sequence[int] = (1, 2, 3, 6),
        width: int = 512,
        dropout: float = 0.1,
        norm: Norm | None = nn.BatchNorm2d,
        *,
        channels: Sequence[int],
        reductions: Sequence[int],
        out_channels: int,
        upsample: Callable[..., Upsample],
    ) -> None:
        super().__init__()
        deep = channels[-1]
        thin = max(1, deep // len(bins))  # so that all grids together weigh as much as the feature
        self.grids = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(side), atrous(deep, thin, norm if side > 1 else None, kernel_size=1))
            for side in bins
        )
        self.fuse = convolution(deep + thin * len(bins), width, norm)
        self.dropout = nn.Dropout2d(dropout)
        self.score = nn.Conv2d(width, out_channels, kernel_size=1)
        self.scale = reductions[-1]
        self.upsample = upsample(channels=out_channels, scale=self.scale)
        self.channels, self.reduction = out_channels, 1

    def forward(self, features: list[Tensor], pools: Pools) -> Float[Tensor, "b k h w"]:
        x = features[-1]
        size = tuple(x.shape[-2:])
        around = [F.interpolate(grid(x), size, mode="bilinear") for grid in self.grids]
        x = self.score(self.dropout(self.fuse(torch.cat([x, *around], dim=1))))
        return self.upsample(x, (self.scale * size[0], self.scale * size[1]), pools.get(1))
