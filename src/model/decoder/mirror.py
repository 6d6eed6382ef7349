"""The way back through a backbone's resolutions: what decoders without skips have in common."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from src.model.interface import Pools, Upsample, listed


class Mirror(nn.Module):
    """From the deepest feature a step to the resolution of each shallower one: upsample, then the step's own layers.

    It ends at the resolution of the shallowest feature. Of the others it uses sizes alone.

    Args:
        layers: of each step, deep to shallow.
        in_channels: of each step.
        reductions: of the backbone's features.
        upsample: builds an `Upsample`.
    """

    def __init__(
        self,
        layers: Sequence[nn.Module],
        in_channels: Sequence[int],
        reductions: Sequence[int],
        upsample: Callable[..., Upsample],
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.upsamples = nn.ModuleList(
            upsample(channels=channels, scale=deep // stop)
            for channels, (deep, stop) in zip(in_channels, pairwise(reversed(reductions)), strict=True)
        )
        self.stops = list(reversed(reductions[:-1]))  # the reduction that each step leads to

    def forward(self, features: list[Tensor], pools: Pools) -> Float[Tensor, "b c h w"]:
        *shallower, x = features
        for upsample, layers, stop in zip(self.upsamples, self.layers, self.stops, strict=True):
            x = layers(upsample(x, tuple(shallower.pop().shape[-2:]), pools.get(stop)))
        return x


def check(name: str, reductions: Sequence[int]) -> None:
    """Raises ValueError if there is no way back in whole steps, for the decoder of that name."""
    if len(reductions) < 2 or any(a >= b or b % a for a, b in pairwise(reductions)):
        raise ValueError(
            f"model/decoder={name} goes back through the resolutions of a backbone, each several times the one before, "
            f"and this one gives {listed(reductions)}: take a pyramid such as vgg16_bn, plain or "
            "resnet18, or model/decoder=fcn32s, which reads one feature"
        )
