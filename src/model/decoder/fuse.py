"""Features of several levels fused in the plainest ways there are, to compare these: sum or concatenation, of class
scores (Long et al., 2015) or of features (Ronneberger et al., 2015)."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from src.model.convolution import convolution
from src.model.interface import Norm, Pools, Upsample, listed


class Fuse(nn.Module):
    """Every feature is projected; the deepest is enlarged step by step and fused with the next, up to the shallowest.

    What it returns are scores already: `model/head=identity` goes with it.

    Args:
        fusion: sum adds two levels; concatenate puts them side by side and lets a convolution make one of them.
        scored: each projects every level to class scores by a 1×1 convolution and fuses these; end projects to `width`
            features, convolves after each fusion, and predicts once from the last.
        width: of the features.
        norm: of their convolutions; None for none.

    Raises:
        ValueError: the reductions do not grow by whole factors.
    """

    def __init__(
        self,
        fusion: Literal["sum", "concatenate"] = "sum",
        scored: Literal["each", "end"] = "end",
        width: int = 32,
        norm: Norm | None = nn.BatchNorm2d,
        *,
        channels: Sequence[int],
        reductions: Sequence[int],
        out_channels: int,
        upsample: Callable[..., Upsample],
    ) -> None:
        super().__init__()
        _check(reductions)
        early = scored == "each"
        inner, fused = out_channels if early else width, 2 if fusion == "concatenate" else 1
        self.projections = nn.ModuleList(nn.Conv2d(deep, inner, kernel_size=1) for deep in channels)
        steps = [deep // shallow for shallow, deep in pairwise(reductions)]
        self.upsamples = nn.ModuleList(upsample(channels=inner, scale=scale) for scale in steps)
        self.mixes = nn.ModuleList(
            _scores(fused * inner, inner) if early else convolution(fused * inner, inner, norm) for _ in steps
        )
        self.predict = nn.Identity() if early else nn.Conv2d(width, out_channels, kernel_size=1)
        self.concatenated, self.stops = fusion == "concatenate", list(reductions[:-1])
        self.channels, self.reduction = out_channels, reductions[0]

    def forward(self, features: list[Tensor], pools: Pools) -> Float[Tensor, "b k h w"]:
        *skips, x = (project(feature) for project, feature in zip(self.projections, features, strict=True))
        steps = list(zip(skips, self.upsamples, self.mixes, self.stops, strict=True))
        for skip, upsample, mix, stop in reversed(steps):
            x = upsample(x, tuple(skip.shape[-2:]), pools.get(stop))
            x = mix(torch.cat([x, skip], 1) if self.concatenated else x + skip)
        return self.predict(x)


def _scores(in_channels: int, out_channels: int) -> nn.Module:
    """A sum of scores needs nothing more; scores side by side become scores again."""
    return nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, kernel_size=1)


def _check(reductions: Sequence[int]) -> None:
    if any(a >= b or b % a for a, b in pairwise(reductions)):
        raise ValueError(
            "model/decoder=fuse goes from each level to the next by a whole factor, and this backbone gives "
            f"{listed(reductions)}: take a pyramid such as plain, vgg16_bn or resnet18"
        )
