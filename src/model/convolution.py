"""The unit that decoders are made of: a 3×3 convolution, its normalisation and a ReLU."""

from torch import nn

from src.model.interface import Norm


def convolution(in_channels: int, out_channels: int, norm: Norm | None, padding: int = 1) -> nn.Sequential:
    """Conv 3×3, norm, ReLU; without a norm the convolution has a bias. Initialised for ReLU (He et al., 2015)."""
    conv = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=padding, bias=norm is None)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
    if norm is None:
        nn.init.zeros_(conv.bias)
        return nn.Sequential(conv, nn.ReLU(inplace=True))
    return nn.Sequential(conv, norm(out_channels), nn.ReLU(inplace=True))
