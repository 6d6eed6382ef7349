"""A feature pyramid with a top-down path (Lin et al., 2017), and its branch for maps (Kirillov et al., 2019)."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from src.model.convolution import convolution
from src.model.interface import Norm, Pool, Pools, Upsample, listed
from src.model.norm.group import Group


class Fpn(nn.Module):
    """Every level gets what the deeper ones know; then each is enlarged, step by step, to the shallowest, and added.

    Both ways take the user's upsampling; the papers take nearest on the way down and bilinear in the branch. It runs
    on a plain ViT's features as well, which are all of one size.

    Args:
        width: channels of the pyramid.
        branch_width: channels of the branch, and of the result.
        finest: reduction of the shallowest level; shallower features of the backbone are left alone.
        norm: of the branch's convolutions; None for none.

    Raises:
        ValueError: the backbone has no feature at `finest` or deeper, or one is no multiple of the one before.
    """

    def __init__(
        self,
        width: int = 256,
        branch_width: int = 128,
        finest: int = 4,
        norm: Norm | None = Group,
        *,
        channels: Sequence[int],
        reductions: Sequence[int],
        out_channels: int,
        upsample: Callable[..., Upsample],
    ) -> None:
        super().__init__()
        _check(finest, reductions)
        self.taps = [index for index, reduction in enumerate(reductions) if reduction >= finest]
        self.stops = [reductions[tap] for tap in self.taps]
        scales = [deep // shallow for shallow, deep in pairwise(self.stops)]
        self.lateral = nn.ModuleList(nn.Conv2d(channels[tap], width, kernel_size=1) for tap in self.taps)
        self.smooth = nn.ModuleList(nn.Conv2d(width, width, kernel_size=3, padding=1) for _ in self.taps)
        self.upsamples = nn.ModuleList(upsample(channels=width, scale=scale) for scale in scales)
        self.branches = nn.ModuleList(
            _Branch(width, branch_width, scales[:level], norm, upsample) for level in range(len(self.taps))
        )
        self.channels, self.reduction = branch_width, self.stops[0]

    def forward(self, features: list[Tensor], pools: Pools) -> Float[Tensor, "b c h w"]:
        levels = self.pyramid([features[tap] for tap in self.taps], pools)
        goals = [(tuple(x.shape[-2:]), pools.get(stop)) for x, stop in zip(levels, self.stops, strict=True)]
        return sum(
            branch(x, goals[:level]) for level, (branch, x) in enumerate(zip(self.branches, levels, strict=True))
        )

    def pyramid(self, features: list[Tensor], pools: Pools) -> list[Float[Tensor, "b width _ _"]]:
        """The tapped features, shallow to deep -> levels of their sizes, all of `width` channels."""
        levels = [lateral(feature) for lateral, feature in zip(self.lateral, features, strict=True)]
        for index in reversed(range(len(self.upsamples))):
            size, pool = tuple(levels[index].shape[-2:]), pools.get(self.stops[index])
            levels[index] = levels[index] + self.upsamples[index](levels[index + 1], size, pool)
        return [smooth(level) for smooth, level in zip(self.smooth, levels, strict=True)]


class _Branch(nn.Module):
    """A convolution and an upsampling per step to the shallowest level, which itself gets the convolution alone."""

    def __init__(self, width: int, out: int, scales: Sequence[int], norm: Norm | None, upsample: Callable) -> None:
        super().__init__()
        count = max(1, len(scales))
        self.convs = nn.ModuleList(convolution(out if index else width, out, norm) for index in range(count))
        self.upsamples = nn.ModuleList(upsample(channels=out, scale=scale) for scale in scales)

    def forward(self, x: Tensor, goals: Sequence[tuple[tuple[int, int], Pool | None]]) -> Tensor:
        if not goals:
            return self.convs[0](x)
        for conv, upsample, goal in zip(self.convs, reversed(self.upsamples), reversed(goals), strict=True):
            x = upsample(conv(x), *goal)
        return x


def _check(finest: int, reductions: Sequence[int]) -> None:
    levels = [reduction for reduction in reductions if reduction >= finest]
    if not levels or any(deep % shallow for shallow, deep in pairwise(levels)):
        raise ValueError(
            f"model/decoder=fpn takes features from ÷{finest} (model.decoder.finest) on, each a multiple of the one "
            f"before, and this backbone gives {listed(reductions)}: take a pyramid such as "
            "resnet50 or convnext_tiny, or say another model.decoder.finest"
        )
