"""VGG16 (Simonyan and Zisserman, 2015) as segmentation networks take it over: its stages, and its weights by order."""

from collections.abc import Callable
from math import prod

from torch import Tensor, nn

from src.model.backbone.weights import fetch, fit, read
from src.model.interface import Norm

DEPTHS = (2, 2, 3, 3, 3)  # convolutions of each stage; a max-pooling by 2 follows every one


def widths(width: int) -> list[int]:
    """Channels of the five stages, of which the first has `width`."""
    return [width * min(2**level, 8) for level in range(len(DEPTHS))]


def stages(in_channels: int, width: int, convolution: Callable[[int, int], list[nn.Module]]) -> list[list[nn.Module]]:
    """The layers of the five stages, without their pools; `convolution(in, out)` gives those of one convolution."""
    found, channels = [], in_channels
    for depth, wide in zip(DEPTHS, widths(width), strict=True):
        layers = []
        for _ in range(depth):
            layers += convolution(channels, wide)
            channels = wide
        found.append(layers)
    return found


def unit(conv: nn.Conv2d | nn.ConvTranspose2d, norm: Norm | None) -> list[nn.Module]:
    """A convolution, its norm if there is one, and a ReLU. A bias begins at zero."""
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    norms = [] if norm is None else [norm(conv.out_channels)]
    return [conv, *norms, nn.ReLU(inplace=True)]


def load(network: nn.Module, weights: str, url: str) -> None:
    """Weights of a torchvision VGG: matched by kind and order, so that the classifier's matrices become filters.

    Norms that the file has no more of, those of fc6 and fc7, stay as they are.

    Args:
        network: whose convolutions and norms stand in VGG's order.
        weights: default for what is at `url`, or the path of a file with such a state_dict.

    Raises:
        ValueError: the weights cannot be had, or do not fit.
    """
    source, state = (url, fetch(url)) if weights == "default" else (f"weights={weights}", read(weights))
    ours = {name: layer for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d)}
    norms = [name for name, layer in network.named_modules() if isinstance(layer, nn.BatchNorm2d)]
    layers = {key.removesuffix(".weight"): value.ndim for key, value in state.items() if key.endswith(".weight")}
    renamed = dict(zip([name for name, ndim in layers.items() if ndim > 1], ours, strict=False))
    theirs = [name for name, ndim in layers.items() if ndim == 1]
    renamed |= dict(zip(theirs, norms, strict=False))
    fitted = {
        key: value for key, value in network.state_dict().items() if key.rpartition(".")[0] in norms[len(theirs) :]
    }
    for key, value in state.items():
        layer, _, kind = key.rpartition(".")
        name = renamed.get(layer, layer)
        fitted[f"{name}.{kind}"] = _filters(value, ours[name]) if name in ours else value
    fit(network, fitted, source)


def _filters(value: Tensor, conv: nn.Conv2d) -> Tensor:
    """A matrix over flattened maps as filters over these maps."""
    size = conv.kernel_size
    return value.unflatten(1, (-1, *size)) if value.ndim == 2 and value.shape[1] % prod(size) == 0 else value
