"""SegNet's decoder, the mirror image of its VGG16 (Badrinarayanan et al., 2017), on any backbone with a pyramid."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from src.model.decoder import mirror
from src.model.interface import Norm, Pools, Upsample


class Segnet(nn.Module):
    """For each feature of the backbone, deep to shallow: upsample to its resolution, then 3×3 convolutions as wide.

    The last convolution of a step has the width of the next one; the very last gives the scores, without norm and
    ReLU: `model/head=identity` goes with it. With max-unpooling on VGG16 it is SegNet; a backbone whose first feature
    is coarser than the image gets its scores there.

    Args:
        depths: convolutions of each step, deep to shallow; a backbone of fewer steps takes the last of them.
        norm: of each convolution, which keeps its bias.

    Raises:
        ValueError: the reductions do not grow by whole factors, or there are more steps than `depths`.
    """

    def __init__(
        self,
        depths: Sequence[int] = (3, 3, 3, 2, 2),
        norm: Norm = nn.BatchNorm2d,
        *,
        channels: Sequence[int],
        reductions: Sequence[int],
        out_channels: int,
        upsample: Callable[..., Upsample],
    ) -> None:
        super().__init__()
        mirror.check("segnet", reductions)
        steps = len(reductions) - 1
        if len(depths) < steps or min(depths) < 1:
            raise ValueError(
                f"model.decoder.depths={list(depths)}: give at least one convolution for each of the {steps} steps "
                f"that lead back from ÷{reductions[-1]} to ÷{reductions[0]}"
            )
        widths = [*reversed(channels[:-1]), out_channels]  # of each step, and what the last one leads to
        in_channels = [channels[-1], *widths[1:-1]]
        layers = [
            _step(in_channels[i], widths[i], widths[i + 1], depth, norm) for i, depth in enumerate(depths[-steps:])
        ]
        layers[-1] = layers[-1][:-2]  # scores
        self.mirror = mirror.Mirror(layers, in_channels, reductions, upsample)
        self.channels, self.reduction = out_channels, reductions[0]

    def forward(self, features: list[Tensor], pools: Pools) -> Float[Tensor, "b k h w"]:
        return self.mirror(features, pools)


def _step(in_channels: int, width: int, out_channels: int, depth: int, norm: Norm) -> nn.Sequential:
    """`depth` convolutions of `width` channels, but for the last one."""
    widths = [in_channels, *[width] * (depth - 1), out_channels]
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        conv = nn.Conv2d(before, after, kernel_size=3, padding=1)
        nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        nn.init.zeros_(conv.bias)
        layers += [conv, norm(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
