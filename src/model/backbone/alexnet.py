"""AlexNet's convolutions, in two groups and with local response normalisation (Krizhevsky et al., 2012)."""

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from src.model.backbone import pooling
from src.model.backbone.weights import load
from src.model.interface import Pool
from src.model.normalize import Normalize

PUBLIC = (64, 192, 384, 256, 256)  # widths of the only weights that torchvision publishes


class AlexNet(nn.Module):
    """Five convolutions and three poolings of overlapping 3×3 windows: features at ÷4, 8, 16 and, pooled, ÷32.

    The defaults are the paper's in the form that Caffe trained. Paddings are chosen so that sizes are rounded up and
    cell (0, 0) lies at the image's top left, whatever the size: 11×11 with 5, where Caffe has none and torchvision 2.

    Args:
        widths: channels of the five convolutions.
        groups: that the second, fourth and fifth are divided into; two, because the paper's network lay on two GPUs.
        local_response: whether the first two are followed by local response normalisation over five channels.
        weights: null for random ones, the path of a file with layers named as torchvision's, or default for
            torchvision's on ImageNet, whose network has other widths, one group and no normalisation.

    Raises:
        ValueError: `widths` are not five, or the weights cannot be had or do not fit.
    """

    def __init__(
        self,
        widths: Sequence[int] = (96, 256, 384, 384, 256),
        groups: int = 2,
        local_response: bool = True,
        weights: str | None = None,
        *,
        in_channels: int,
    ) -> None:
        super().__init__()
        _check(widths, groups, local_response, weights)
        layers = _layers([in_channels, *widths], groups, local_response)
        load(nn.ModuleDict({"features": nn.Sequential(*layers)}), weights, "alexnet")
        self.normalize = Normalize(in_channels)
        self.stages = pooling.cut(layers)
        self.channels = [widths[0], widths[1], widths[4], widths[4]]
        self.reductions = [4, 8, 16, 32]

    def forward(self, image: Float[Tensor, "b c h w"]) -> list[Float[Tensor, "b _ _ _"]]:
        """Image in [0, 1] -> features, shallow to deep, of sizes rounded up."""
        return pooling.features(self.stages, self.normalize(image))

    def pooled(self, image: Float[Tensor, "b c h w"]) -> tuple[list[Float[Tensor, "b _ _ _"]], Mapping[int, Pool]]:
        """The features, and what undoes their poolings."""
        return pooling.pooled(self.stages, self.normalize(image), self.reductions)


def _check(widths: Sequence[int], groups: int, local_response: bool, weights: str | None) -> None:
    if len(widths) != 5 or any(width % groups for width in widths):
        raise ValueError(
            f"model.backbone.widths={list(widths)}: AlexNet has five convolutions, each of channels that "
            f"model.backbone.groups={groups} divides"
        )
    if weights == "default" and (tuple(widths) != PUBLIC or groups != 1 or local_response):
        raise ValueError(
            "model.backbone.weights=default: torchvision has none for AlexNet as published; take "
            "model/backbone=alexnet_torchvision, the variant that it trained, or weights=PATH"
        )


def _layers(widths: Sequence[int], groups: int, local_response: bool) -> list[nn.Module]:
    """One after another as torchvision numbers them; `widths` begin with the image's."""
    a, b, c, d, e, f = widths
    return [
        _initialised(nn.Conv2d(a, b, kernel_size=11, stride=4, padding=5)),
        _activation(local_response),
        nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
        _initialised(nn.Conv2d(b, c, kernel_size=5, padding=2, groups=groups)),
        _activation(local_response),
        nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
        _initialised(nn.Conv2d(c, d, kernel_size=3, padding=1)),
        _activation(False),
        _initialised(nn.Conv2d(d, e, kernel_size=3, padding=1, groups=groups)),
        _activation(False),
        _initialised(nn.Conv2d(e, f, kernel_size=3, padding=1, groups=groups)),
        _activation(False),
        nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
    ]


def _activation(local_response: bool) -> nn.Module:
    """One layer even with its normalisation, so that both variants number the others alike."""
    relu = nn.ReLU(inplace=True)
    return nn.Sequential(relu, nn.LocalResponseNorm(size=5, alpha=1e-4, beta=0.75)) if local_response else relu


def _initialised(conv: nn.Conv2d) -> nn.Conv2d:
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    nn.init.zeros_(conv.bias)
    return conv
