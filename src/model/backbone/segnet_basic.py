"""The encoder of SegNet-Basic (Badrinarayanan et al., 2017), as its authors' own file has it."""

from collections.abc import Mapping

from jaxtyping import Float
from torch import Tensor, nn

from src.model.backbone import pooling
from src.model.interface import Norm, Pool


class SegnetBasic(nn.Module):
    """Local response normalisation of the image, then four times a 7×7 convolution, norm, ReLU and max-pooling by 2.

    Features are those before each pooling and the last pooled one: at ÷1, 2, 4, 8 and 16.

    Args:
        width: channels of every convolution.
        norm: of each convolution, which keeps its bias.
    """

    def __init__(self, width: int = 64, norm: Norm = nn.BatchNorm2d, *, in_channels: int) -> None:
        super().__init__()
        self.normalize = nn.LocalResponseNorm(size=5, alpha=1e-4, beta=0.75)
        layers: list[nn.Module] = []
        for before in (in_channels, width, width, width):
            layers += [_convolution(before, width), norm(width), nn.ReLU(inplace=True), nn.MaxPool2d(2, ceil_mode=True)]
        self.stages = pooling.cut(layers)
        self.channels, self.reductions = [width] * 5, [1, 2, 4, 8, 16]

    def forward(self, image: Float[Tensor, "b c h w"]) -> list[Float[Tensor, "b _ _ _"]]:
        """Image in [0, 1] -> features, shallow to deep, of sizes rounded up."""
        return pooling.features(self.stages, self._normalised(image))

    def pooled(self, image: Float[Tensor, "b c h w"]) -> tuple[list[Float[Tensor, "b _ _ _"]], Mapping[int, Pool]]:
        """The features, and what undoes their poolings."""
        return pooling.pooled(self.stages, self._normalised(image), self.reductions)

    def _normalised(self, image: Tensor) -> Tensor:
        return self.normalize(255 * image)  # the constants are for values of bytes


def _convolution(in_channels: int, out_channels: int) -> nn.Conv2d:
    conv = nn.Conv2d(in_channels, out_channels, kernel_size=7, padding=3)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    nn.init.zeros_(conv.bias)
    return conv
