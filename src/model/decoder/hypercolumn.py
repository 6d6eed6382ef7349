"""Hypercolumns: every layer above a pixel classifies it, and the scores are added (Hariharan et al., 2015)."""

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from src.model.interface import Pools, Upsample, listed


class Hypercolumn(nn.Module):
    """A 1×1 classifier per tapped feature, its scores enlarged to the shallowest of them, and the sum.

    With an upsampling that treats each channel alone and alike, such as bilinear, that is one classifier on all tapped
    features concatenated, at a fraction of the memory. What it returns are scores: `model/head=identity` goes with it.

    Args:
        taps: reductions of the tapped features, all where null; the paper takes three, from the layers after the second
            and the last poolings and one between them.

    Raises:
        ValueError: the backbone lacks one of `taps`, or one is no multiple of the shallowest.
    """

    def __init__(
        self,
        taps: Sequence[int] | None = None,
        *,
        channels: Sequence[int],
        reductions: Sequence[int],
        out_channels: int,
        upsample: Callable[..., Upsample],
    ) -> None:
        super().__init__()
        wanted = set(reductions if taps is None else taps)
        _check(wanted, reductions)
        self.channels, self.reduction = out_channels, min(wanted)
        first = reductions.index(self.reduction)
        self.taps = [first, *(i for i, reduction in enumerate(reductions) if reduction in wanted and i != first)]
        self.scores = nn.ModuleList(nn.Conv2d(channels[tap], out_channels, kernel_size=1) for tap in self.taps)
        self.upsamples = nn.ModuleList(
            upsample(channels=out_channels, scale=reductions[tap] // self.reduction) for tap in self.taps[1:]
        )

    def forward(self, features: list[Tensor], pools: Pools) -> Float[Tensor, "b k h w"]:
        total, *maps = (score(features[tap]) for score, tap in zip(self.scores, self.taps, strict=True))
        size, pool = tuple(total.shape[-2:]), pools.get(self.reduction)
        for upsample, x in zip(self.upsamples, maps, strict=True):
            total = total + upsample(x, size, pool)
        return total


def _check(taps: set[int], reductions: Sequence[int]) -> None:
    given = listed(reductions)
    if not taps or taps - set(reductions):
        raise ValueError(f"model.decoder.taps={sorted(taps)}: take some of what this backbone gives, {given}, or null")
    if any(tap % min(taps) for tap in taps):
        raise ValueError(
            f"model/decoder=hypercolumn adds features at whole multiples of the shallowest, and this backbone gives "
            f"{given}: say model.decoder.taps=[{max(taps)}], or take a pyramid such as resnet18 or vgg16"
        )
