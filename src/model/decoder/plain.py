"""The upsampling half of a plain encoder-decoder."""

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from src.model.convolution import convolution
from src.model.decoder import mirror
from src.model.interface import Norm, Pools, Upsample


class Plain(nn.Module):
    """For each feature of the backbone, deep to shallow: upsample to its resolution, then 3×3 convolutions; no skips.

    Args:
        widths: channels after each step, deep to shallow; null takes those of the backbone's feature at the next step,
            so that unpooling finds as many channels as were pooled.
        depth: convolutions of each step.
        norm: of each convolution; null for none.

    Raises:
        ValueError: the reductions do not grow by whole factors, or `widths` are not one per step.
    """

    def __init__(
        self,
        widths: Sequence[int] | None = None,
        depth: int = 1,
        norm: Norm | None = nn.BatchNorm2d,
        *,
        channels: Sequence[int],
        reductions: Sequence[int],
        out_channels: int,
        upsample: Callable[..., Upsample],
    ) -> None:
        super().__init__()
        mirror.check("plain", reductions)
        widths = [*reversed(channels[:-2]), channels[0]] if widths is None else list(widths)
        if len(widths) != len(reductions) - 1 or depth < 1:
            raise ValueError(
                f"model.decoder.widths={widths}, depth={depth}: give one width for each of the {len(reductions) - 1} "
                f"steps that lead back from ÷{reductions[-1]} to ÷{reductions[0]}, and a depth of at least 1"
            )
        in_channels = [channels[-1], *widths[:-1]]
        layers = [
            nn.Sequential(*(convolution(width if index else before, width, norm) for index in range(depth)))
            for before, width in zip(in_channels, widths, strict=True)
        ]
        self.mirror = mirror.Mirror(layers, in_channels, reductions, upsample)
        self.channels, self.reduction = widths[-1], reductions[0]

    def forward(self, features: list[Tensor], pools: Pools) -> Float[Tensor, "b c h w"]:
        return self.mirror(features, pools)
