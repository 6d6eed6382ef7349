"""A convolution that may skip cells, its normalisation and a ReLU: the unit of DeepLab (Chen et al., 2018)."""

from torch import nn

from src.model.interface import Norm


def atrous(
    in_channels: int,
    out_channels: int,
    norm: Norm | None,
    kernel_size: int = 3,
    rate: int = 1,
    separable: bool = False,
) -> nn.Sequential:
    """Conv, norm, ReLU at the map's own size; without a norm the convolution has a bias. Initialised for ReLU.

    Args:
        kernel_size: odd.
        rate: distance of the cells that the kernel reads; 1 is an ordinary convolution.
        separable: first every channel by itself, then a 1×1 convolution over all of them.
    """
    padding = rate * (kernel_size // 2)
    convs = [nn.Conv2d(in_channels, out_channels, kernel_size, padding=padding, dilation=rate, bias=norm is None)]
    if separable:
        convs = [
            nn.Conv2d(in_channels, in_channels, kernel_size, 1, padding, rate, groups=in_channels, bias=False),
            nn.Conv2d(in_channels, out_channels, kernel_size=1, bias=norm is None),
        ]
    for conv in convs:
        nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        if conv.bias is not None:
            nn.init.zeros_(conv.bias)
    return nn.Sequential(*convs, *([] if norm is None else [norm(out_channels)]), nn.ReLU(inplace=True))
