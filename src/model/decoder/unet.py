"""The expanding path of U-Net (Ronneberger et al., 2015), on any backbone whose features shrink by powers of two."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from src.model.convolution import convolution
from src.model.interface import Norm, Pool, Pools, Upsample, listed


class Unet(nn.Module):
    """At each halving of the reduction: upsample by 2, append the backbone's feature if it has one, convolve twice.

    With a width for every halving it goes on to the image's full resolution; with fewer it stops before. The last
    levels hold most of the pixels: to end at ÷4 saves a quarter of a step on a ResNet-18, and costs what is thin.

    Args:
        widths: channels after each level, deep to shallow, at most one per halving.
        norm: of each convolution; None for none.

    Raises:
        ValueError: the backbone's reductions are no growing powers of two, or fewer halvings than `widths`.
    """

    def __init__(
        self,
        widths: Sequence[int] = (256, 128, 64, 32, 16),
        norm: Norm | None = nn.BatchNorm2d,
        *,
        channels: Sequence[int],
        reductions: Sequence[int],
        out_channels: int,
        upsample: Callable[..., Upsample],
    ) -> None:
        super().__init__()
        _check(widths, reductions)
        skips = dict(zip(reductions[:-1], channels[:-1], strict=True))
        self.stops = [reductions[-1] // 2 ** (i + 1) for i in range(len(widths))]  # reduction after each level
        self.skips = [stop in skips for stop in self.stops]
        self.levels = nn.ModuleList()
        deep = channels[-1]
        for stop, width in zip(self.stops, widths, strict=True):
            skip = skips.get(stop, 0)
            self.levels.append(_Level(upsample(channels=deep, scale=2), deep + skip, width, norm))
            deep = width
        self.channels, self.reduction = deep, self.stops[-1]

    def forward(self, features: list[Tensor], pools: Pools) -> Float[Tensor, "b c h w"]:
        *skips, x = features
        for level, skipped, stop in zip(self.levels, self.skips, self.stops, strict=True):
            x = level(x, skips.pop() if skipped else None, pools.get(stop))
        return x


class _Level(nn.Module):
    def __init__(self, upsample: Upsample, in_channels: int, width: int, norm: Norm | None) -> None:
        super().__init__()
        self.upsample = upsample
        self.convs = nn.Sequential(convolution(in_channels, width, norm), convolution(width, width, norm))

    def forward(self, x: Tensor, skip: Tensor | None, pool: Pool | None) -> Tensor:
        if skip is None:
            return self.convs(self.upsample(x, (2 * x.shape[-2], 2 * x.shape[-1]), pool))
        return self.convs(torch.cat([self.upsample(x, tuple(skip.shape[-2:]), pool), skip], dim=1))


def _check(widths: Sequence[int], reductions: Sequence[int]) -> None:
    given = listed(reductions)
    if any(r & (r - 1) for r in reductions) or any(a >= b for a, b in pairwise(reductions)):
        raise ValueError(
            f"model/decoder=unet needs features that shrink by powers of two, and this backbone gives {given}: take "
            "a pyramid such as resnet18, vgg16 or convnext_tiny, or model/decoder=fcn32s, which reads one feature"
        )
    halvings = reductions[-1].bit_length() - 1
    if not 1 <= len(widths) <= halvings:
        raise ValueError(
            f"model.decoder.widths has {len(widths)} entries, and a backbone that ends at ÷{reductions[-1]} takes 1 to "
            f"{halvings}, one per halving that is undone"
        )
