"""The skip architecture of FCN-32s, FCN-16s and FCN-8s (Long et al., 2015), on any pyramid of features."""

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from src.model.interface import Pools, Upsample, listed


class Fcn(nn.Module):
    """Scores the deepest feature, then enlarges it step by step, adding the scores of shallower features on the way.

    What it returns are scores already, at full resolution: `model/head=identity` goes with it. A convolution in the
    head's place would only mix the scores once more.

    Args:
        skips: reductions of the features that are added: (8, 16) is FCN-8s, (16,) FCN-16s and () FCN-32s, which reads
            the deepest feature alone, whatever its reduction.

    Raises:
        ValueError: the backbone lacks one of the reductions above its deepest.
    """

    def __init__(
        self,
        skips: Sequence[int] = (8, 16),
        *,
        channels: Sequence[int],
        reductions: Sequence[int],
        out_channels: int,
        upsample: Callable[..., Upsample],
    ) -> None:
        super().__init__()
        _check(skips, reductions)
        stops = [*sorted(skips), reductions[-1]]  # shallow to deep
        self.taps = [*(reductions.index(stop) for stop in stops[:-1]), len(reductions) - 1]
        self.scores = nn.ModuleList(nn.Conv2d(channels[tap], out_channels, kernel_size=1) for tap in self.taps)
        self.upsamples = nn.ModuleList(
            upsample(channels=out_channels, scale=deep // shallow)
            for shallow, deep in zip([1, *stops[:-1]], stops, strict=True)
        )
        self.stops = stops[:-1]  # reductions that the steps lead to, but for the last one
        self.scale = stops[0]  # of the last step
        self.channels, self.reduction = out_channels, 1

    def forward(self, features: list[Tensor], pools: Pools) -> Float[Tensor, "b k h w"]:
        maps = [score(features[tap]) for score, tap in zip(self.scores, self.taps, strict=True)]
        x = maps.pop()
        for upsample, stop in zip(reversed(self.upsamples[1:]), reversed(self.stops), strict=True):
            skip = maps.pop()
            x = upsample(x, tuple(skip.shape[-2:]), pools.get(stop)) + skip
        return self.upsamples[0](x, (self.scale * x.shape[-2], self.scale * x.shape[-1]), pools.get(1))


def _check(skips: Sequence[int], reductions: Sequence[int]) -> None:
    deepest = reductions[-1]
    if any(skip not in reductions or skip >= deepest or deepest % skip for skip in skips):
        raise ValueError(
            f"model/decoder=fcn{min(skips)}s adds features at {listed(sorted(skips))} to a deeper one, and this "
            f"backbone gives {listed(reductions)}: take a pyramid such as resnet18, vgg16 or convnext_tiny, or "
            "model/decoder=fcn32s, which reads the deepest feature alone"
        )
