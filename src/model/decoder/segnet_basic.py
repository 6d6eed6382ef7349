"""The decoder of SegNet-Basic (Badrinarayanan et al., 2017), as its authors' own file has it."""

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from src.model.decoder import mirror
from src.model.interface import Norm, Pools, Upsample


class SegnetBasic(nn.Module):
    """For each feature of the backbone, deep to shallow: upsample, then a 7×7 convolution and its norm, without ReLU.

    Args:
        width: channels of every convolution; unpooling wants as many as were pooled.
        norm: of each convolution, which keeps its bias.

    Raises:
        ValueError: the reductions do not grow by whole factors.
    """

    def __init__(
        self,
        width: int = 64,
        norm: Norm = nn.BatchNorm2d,
        *,
        channels: Sequence[int],
        reductions: Sequence[int],
        out_channels: int,
        upsample: Callable[..., Upsample],
    ) -> None:
        super().__init__()
        mirror.check("segnet_basic", reductions)
        in_channels = [channels[-1], *[width] * (len(reductions) - 2)]
        layers = [nn.Sequential(_convolution(before, width), norm(width)) for before in in_channels]
        self.mirror = mirror.Mirror(layers, in_channels, reductions, upsample)
        self.channels, self.reduction = width, reductions[0]

    def forward(self, features: list[Tensor], pools: Pools) -> Float[Tensor, "b c h w"]:
        return self.mirror(features, pools)


def _convolution(in_channels: int, out_channels: int) -> nn.Conv2d:
    conv = nn.Conv2d(in_channels, out_channels, kernel_size=7, padding=3)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="linear")
    nn.init.zeros_(conv.bias)
    return conv
