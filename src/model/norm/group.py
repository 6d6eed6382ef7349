"""Group normalisation (Wu and He, 2018), built from the number of channels alone."""

from math import gcd

from torch import nn


class Group(nn.GroupNorm):
    """GroupNorm that takes `channels` first, as every norm here is called; statistics never leave their image.

    Groups are of `size` channels, or of the largest divisor that both share: 16 is the paper's fixed size, and keeps
    a thin layer at full resolution from having a group per channel.
    """

    def __init__(self, channels: int, size: int = 16) -> None:
        super().__init__(channels // gcd(channels, size), channels)
