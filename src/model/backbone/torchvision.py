"""torchvision's convolutional classifiers as backbones."""

from collections.abc import Iterable
from difflib import get_close_matches

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision import models

from src.model.backbone import dilation, pooling
from src.model.backbone.weights import load
from src.model.interface import Norm
from src.model.normalize import Normalize

FAMILIES = (models.ResNet, models.MobileNetV2, models.MobileNetV3, models.EfficientNet)


class Torchvision(nn.Module):
    """The convolutional part of a torchvision classifier; one feature per reduction, the last layer's at each.

    They give ÷2 (a ResNet's stem), 4, 8, 16 and 32, or end at a smaller output stride.

    Args:
        name: torchvision's: resnet*, resnext*, wide_resnet*, mobilenet_v2, mobilenet_v3_*, efficientnet_*.
        weights: null for random ones, default for torchvision's best on ImageNet, or the path of a file.
        norm: in place of batch normalisation.
        output_stride: 8 or 16 trade the last strides for dilation, and so for memory and time (Chen et al., 2018).

    Raises:
        ValueError: the name or the stride is unknown, or the weights cannot be had or do not fit.
    """

    def __init__(
        self,
        name: str = "resnet18",
        weights: str | None = None,
        norm: Norm | None = None,
        output_stride: int = 32,
        *,
        in_channels: int,
    ) -> None:
        super().__init__()
        dilation.check(output_stride)
        network = _network(name, norm)
        _see(network, in_channels)
        load(network, weights, name)
        layers = _layers(network)
        dilation.dilate(layers, output_stride)
        self.normalize = Normalize(in_channels)
        self.stages, self.channels, self.reductions = _stages(layers, torch.zeros(1, in_channels, 64, 64))

    def forward(self, image: Float[Tensor, "b c h w"]) -> list[Float[Tensor, "b _ _ _"]]:
        """Image in [0, 1] -> features, shallow to deep, of sizes rounded up."""
        return pooling.features(self.stages, self.normalize(image))


def _network(name: str, norm: Norm | None) -> nn.Module:
    known = models.list_models(module=models)
    if name not in known:
        near = get_close_matches(name, known, n=1) or ["resnet18"]
        raise ValueError(f"model.backbone.name={name} is no classifier of torchvision; the nearest is {near[0]}")
    if name.startswith(("vgg", "alexnet")):
        own = "alexnet_torchvision" if name == "alexnet" else name
        raise ValueError(
            f"model.backbone.name={name} pools, and is not taken from torchvision: say model/backbone={own}"
        )
    network = models.get_model(name, **({} if norm is None else {"norm_layer": norm}))
    if not isinstance(network, FAMILIES):
        families = ", ".join(family.__name__ for family in FAMILIES)
        raise ValueError(
            f"model.backbone.name={name}: torchvision's are adapted for {families}; for others take timm's, such as "
            "model/backbone=convnext_tiny"
        )
    for part in ("fc", "classifier"):
        if hasattr(network, part):
            setattr(network, part, nn.Identity())
    return network


def _see(network: nn.Module, in_channels: int) -> None:
    """Rebuild the first convolution for another number of channels."""
    name, conv = next((name, layer) for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d))
    if conv.in_channels == in_channels:
        return
    new = nn.Conv2d(
        in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding, bias=conv.bias is not None
    )
    nn.init.kaiming_normal_(new.weight, mode="fan_out", nonlinearity="relu")
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, new)


def _layers(network: nn.Module) -> list[nn.Module]:
    if isinstance(network, models.ResNet):
        return [layer for name, layer in network.named_children() if name not in ("avgpool", "fc")]
    return list(network.features)


@torch.no_grad()
def _stages(layers: Iterable[nn.Module], probe: Tensor) -> tuple[nn.ModuleList, list[int], list[int]]:
    """Cut the layers before each one that shrinks the map, and say what channels and reduction each stage gives."""
    stages, channels, reductions = nn.ModuleList(), [], []
    x = probe
    for layer in layers:
        y = layer.eval()(x)
        if not len(stages) or y.shape[-1] < x.shape[-1]:
            stages.append(nn.Sequential())
            channels.append(0)
            reductions.append(probe.shape[-1] // y.shape[-1])
        stages[-1].append(layer.train())
        channels[-1] = y.shape[1]
        x = y
    return stages, channels, reductions
