"""DeepLabv3+'s decoder: a pyramid of views of the deepest feature, sharpened by one shallow one (Chen et al., 2018)."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from src.model.atrous import atrous
from src.model.decoder.aspp import Aspp
from src.model.interface import Norm, Pools, Upsample, listed

STRIDE = 16  # that the paper gives its rates for


class Deeplabv3plus(nn.Module):
    """ASPP on the deepest feature, enlarged at once to a shallow one, which is concatenated; then two 3×3 convolutions.

    Args:
        rates: dilations of the three convolutions where the deepest feature is ÷16; at ÷8 they are doubled and at ÷32
            halved, so that they reach as far in the image.
        width: channels of everything but the shallow feature.
        low: reduction of the shallow feature, and of the result.
        low_width: channels that the shallow feature is reduced to, few, so that it does not outweigh the deep one.
        dropout: share of ASPP's result dropped in training.
        separable: whether the 3×3 convolutions are depthwise separable, with about a ninth of their operations.
        norm: of each convolution; None for none.

    Raises:
        ValueError: the backbone has no feature at `low`, or its deepest one is not a multiple of it.
    """

    def __init__(
        self,
        rates: Sequence[int] = (6, 12, 18),
        width: int = 256,
        low: int = 4,
        low_width: int = 48,
        dropout: float = 0.1,
        separable: bool = False,
        norm: Norm | None = nn.BatchNorm2d,
        *,
        channels: Sequence[int],
        reductions: Sequence[int],
        out_channels: int,
        upsample: Callable[..., Upsample],
    ) -> None:
        super().__init__()
        _check(low, reductions)
        deep = reductions[-1]
        scaled = [max(1, round(rate * STRIDE / deep)) for rate in rates]
        self.aspp = Aspp(scaled, dropout, separable, norm, in_channels=channels[-1], out_channels=width)
        self.tap = reductions.index(low)
        self.reduce = atrous(channels[self.tap], low_width, norm, kernel_size=1)
        self.upsample = upsample(channels=width, scale=deep // low)
        self.fuse = nn.Sequential(
            atrous(width + low_width, width, norm, separable=separable),
            atrous(width, width, norm, separable=separable),
        )
        self.channels, self.reduction = width, low

    def forward(self, features: list[Tensor], pools: Pools) -> Float[Tensor, "b c h w"]:
        shallow = self.reduce(features[self.tap])
        x = self.upsample(self.aspp(features[-1]), tuple(shallow.shape[-2:]), pools.get(self.reduction))
        return self.fuse(torch.cat([x, shallow], dim=1))


def _check(low: int, reductions: Sequence[int]) -> None:
    deep = reductions[-1]
    if low not in reductions or low >= deep or deep % low:
        raise ValueError(
            f"model/decoder=deeplabv3plus sharpens the deepest feature by one at ÷{low} (model.decoder.low), and this "
            f"backbone gives {listed(reductions)}: take a pyramid such as resnet50, vgg16 or "
            "convnext_tiny, another model.decoder.low, or model/decoder=pspnet, which reads the deepest feature alone"
        )
