"""The decoder of the dense prediction transformer (Ranftl et al., 2021)."""

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from src.model.convolution import convolution
from src.model.interface import Norm, Pool, Pools, Upsample, listed

REDUCTIONS = (4, 8, 16, 32)  # that the features are reassembled at


class Dpt(nn.Module):
    """Four features, whatever their size, reassembled at ÷4, ÷8, ÷16 and ÷32 and fused from there, deep to shallow.

    They are a transformer's after four of its blocks, or the deepest four of a pyramid; its class token is left out,
    which the paper found to cost little. The map is at ÷2, after the 3×3 convolution that the paper's head for labels
    begins with, so that `model/head=conv` completes it; the paper's depth has no norm (`norm: null`).

    Args:
        widths: channels of the four while they are enlarged or shrunk, shallow to deep: the paper's are these for
            ViT-Base, and 256, 512, 1024, 1024 for ViT-Large.
        width: channels that they are fused with.
        norm: of the residual and the last convolutions; None for none.

    Raises:
        ValueError: `widths` are not four, the backbone has fewer features, or a reduction is no whole multiple or
            fraction of that which it should have.
    """

    def __init__(
        self,
        widths: Sequence[int] = (96, 192, 384, 768),
        width: int = 256,
        norm: Norm | None = nn.BatchNorm2d,
        *,
        channels: Sequence[int],
        reductions: Sequence[int],
        out_channels: int,
        upsample: Callable[..., Upsample],
    ) -> None:
        super().__init__()
        _check(widths, reductions)
        levels = zip(channels[-4:], reductions[-4:], widths, REDUCTIONS, strict=True)
        self.reassemble = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(deep, middle, kernel_size=1),
                _resampled(middle, before, after),
                nn.Conv2d(middle, width, kernel_size=3, padding=1, bias=False),
            )
            for deep, before, middle, after in levels
        )
        self.fusions = nn.ModuleList(_Fusion(width, norm, upsample, skip=after < 32) for after in REDUCTIONS)
        self.last = convolution(width, width, norm)
        self.channels, self.reduction = width, 2

    def forward(self, features: list[Tensor], pools: Pools) -> Float[Tensor, "b c h w"]:
        levels = [step(feature) for step, feature in zip(self.reassemble, features[-4:], strict=True)]
        goals = [(2 * levels[0].shape[-2], 2 * levels[0].shape[-1]), *(tuple(x.shape[-2:]) for x in levels[:-1])]
        x = None
        for index in reversed(range(4)):
            x = self.fusions[index](levels[index], x, goals[index], pools.get(REDUCTIONS[index] // 2))
        return self.last(x)


class _Fusion(nn.Module):
    """A level, refined and added to what comes from the deeper one; both are refined, projected and enlarged twice.

    The paper enlarges before it projects, which is the same for interpolation and costs four times as much.
    """

    def __init__(self, width: int, norm: Norm | None, upsample: Callable[..., Upsample], skip: bool) -> None:
        super().__init__()
        self.skip = _Residual(width, norm) if skip else nn.Identity()  # the deepest level is not added to anything
        self.both = _Residual(width, norm)
        self.project = nn.Conv2d(width, width, kernel_size=1)
        self.upsample = upsample(channels=width, scale=2)

    def forward(self, level: Tensor, deeper: Tensor | None, size: tuple[int, int], pool: Pool | None) -> Tensor:
        level = self.skip(level)
        x = self.both(level if deeper is None else level + deeper)
        return self.upsample(self.project(x), size, pool)


class _Residual(nn.Module):
    """Two convolutions, each after a ReLU, added to what they see."""

    def __init__(self, width: int, norm: Norm | None) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(2):
            conv = nn.Conv2d(width, width, kernel_size=3, padding=1, bias=norm is None)
            layers += [nn.ReLU(), conv, *([] if norm is None else [norm(width)])]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return x + self.layers(x)


def _resampled(width: int, before: int, after: int) -> nn.Module:
    """From one reduction to another, by a learnt filter."""
    if before > after:
        return nn.ConvTranspose2d(width, width, before // after, stride=before // after)
    if before < after:
        return nn.Conv2d(width, width, kernel_size=3, stride=after // before, padding=1)
    return nn.Identity()


def _check(widths: Sequence[int], reductions: Sequence[int]) -> None:
    if len(widths) != 4:
        raise ValueError(f"model.decoder.widths={list(widths)}: say one for each of the four features")
    if len(reductions) < 4:
        raise ValueError(
            f"model/decoder=dpt takes four features, and this backbone gives {len(reductions)} ({listed(reductions)}): "
            "take model=dpt, name four blocks of a transformer with +model.backbone.options.out_indices=[2,5,8,11], or "
            "take a pyramid such as model/backbone=resnet50"
        )
    if any(before % after and after % before for before, after in zip(reductions[-4:], REDUCTIONS, strict=True)):
        raise ValueError(
            f"model/decoder=dpt brings four features to {listed(REDUCTIONS)}, which is a whole step from none but "
            f"powers of two, and this backbone gives {listed(reductions)}: take one with patches of 16 pixels, such as "
            "model/backbone=vit_small, or a pyramid such as resnet50"
        )
