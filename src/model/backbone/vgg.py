"""VGG's convolutions, which tell where their maxima stood (Simonyan and Zisserman, 2015)."""

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from src.model.backbone import dilation, pooling
from src.model.backbone.weights import load
from src.model.interface import Norm, Pool
from src.model.normalize import Normalize

DEPTHS = {"vgg11": (1, 1, 2, 2, 2), "vgg13": (2, 2, 2, 2, 2), "vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}


class Vgg(nn.Module):
    """Five levels of 3×3 convolutions with a max-pooling after each: features at ÷1, 2, 4, 8, 16 and, pooled, ÷32.

    Pools round sizes up, as Caffe's do. torchvision's weights fit at width 64.

    Args:
        name: vgg11, vgg13, vgg16 or vgg19; with `_bn`, a batch normalisation follows each convolution.
        weights: null for random ones, default for torchvision's on ImageNet, or the path of a file.
        width: channels of the first level; each of the next three doubles them.
        norm: in place of batch normalisation, for the names with `_bn`.
        output_stride: 8 or 16 trade the last poolings for dilation, and so for memory and time; 32 is VGG.

    Raises:
        ValueError: the name or the stride is unknown, there is nothing for `norm` to replace, or the weights cannot be
            had or do not fit.
    """

    def __init__(
        self,
        name: str = "vgg16",
        weights: str | None = None,
        width: int = 64,
        norm: Norm | None = None,
        output_stride: int = 32,
        *,
        in_channels: int,
    ) -> None:
        super().__init__()
        dilation.check(output_stride)
        widths = [width * min(2**level, 8) for level in range(5)]
        layers = _layers(_depths(name), [in_channels, *widths], _norm(name, norm), output_stride)
        load(nn.ModuleDict({"features": nn.Sequential(*layers)}), weights, name)
        self.normalize = Normalize(in_channels)
        self.stages = pooling.cut(layers)
        self.channels = [*widths[: len(self.stages) - 1], widths[-1]]
        self.reductions = [2**level for level in range(len(self.stages))]

    def forward(self, image: Float[Tensor, "b c h w"]) -> list[Float[Tensor, "b _ _ _"]]:
        """Image in [0, 1] -> features, shallow to deep, of sizes rounded up."""
        return pooling.features(self.stages, self.normalize(image))

    def pooled(self, image: Float[Tensor, "b c h w"]) -> tuple[list[Float[Tensor, "b _ _ _"]], Mapping[int, Pool]]:
        """The features, and what undoes their poolings."""
        return pooling.pooled(self.stages, self.normalize(image), self.reductions)


def _depths(name: str) -> Sequence[int]:
    """Convolutions of each level."""
    if name.removesuffix("_bn") not in DEPTHS:
        raise ValueError(f"model.backbone.name={name} is no VGG: there are {', '.join(DEPTHS)}, and each with _bn")
    return DEPTHS[name.removesuffix("_bn")]


def _norm(name: str, norm: Norm | None) -> Norm | None:
    if name.endswith("_bn"):
        return norm or nn.BatchNorm2d
    if norm is not None:
        raise ValueError(f"model.backbone.norm: {name} has no normalisation to replace; take model/backbone={name}_bn")
    return None


def _layers(depths: Sequence[int], widths: Sequence[int], norm: Norm | None, output_stride: int) -> list[nn.Module]:
    """One after another as torchvision numbers them; `widths` begin with the image's."""
    layers: list[nn.Module] = []
    spread = 1  # cells between the values that a window sees
    for level, depth in enumerate(depths):
        for index in range(depth):
            layers += _convolution(widths[level + (index > 0)], widths[level + 1], norm, spread)
        if 2**level < output_stride:
            layers.append(nn.MaxPool2d(2, ceil_mode=True))
        else:
            layers.append(dilation.DensePool(spread))
            spread *= 2
    return layers


def _convolution(in_channels: int, out_channels: int, norm: Norm | None, spread: int) -> list[nn.Module]:
    """With a bias even before a norm, as published weights have it."""
    conv = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=spread, dilation=spread)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    nn.init.zeros_(conv.bias)
    return [conv, *([] if norm is None else [norm(out_channels)]), nn.ReLU(inplace=True)]
