"""What the parts of a dense model ask of one another. Nobody inherits from these."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class Backbone(Protocol):
    """image [b c h w] in [0, 1] -> features, shallow to deep. Normalises the image itself.

    Built as `backbone(in_channels=c)`.
    """

    channels: Sequence[int]  # of each feature
    reductions: Sequence[int]  # image size / feature size, published, never assumed

    def __call__(self, image: Tensor) -> list[Tensor]: ...


@runtime_checkable
class Decoder(Protocol):
    """Features, shallow to deep -> one map [b channels h/reduction w/reduction].

    Built as `decoder(channels=..., reductions=..., out_channels=k, upsample=...)`: k is what the head will be asked
    for, of use to decoders that fuse in score space (FCN); `upsample` builds an `Upsample`.
    """

    channels: int
    reduction: int

    def __call__(self, features: list[Tensor]) -> Tensor: ...


@runtime_checkable
class Upsample(Protocol):
    """[b c h w] -> [b c size], learnable or not. Built as `upsample(channels=c, scale=s)`."""

    def __call__(self, x: Tensor, size: tuple[int, int]) -> Tensor: ...
