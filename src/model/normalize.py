"""Input statistics of a network, kept inside it so that a batch stays displayable."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class Normalize(nn.Module):
    """(image - mean) / std per channel, for an image in [0, 1].

    The statistics are those of RGB; an image with another number of channels gets their average in every channel,
    which keeps its scale near what pretrained weights expect.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, in_channels: int, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD
    ) -> None:
        super().__init__()
        self.register_buffer("mean", _per_channel(mean, in_channels), persistent=False)
        self.register_buffer("std", _per_channel(std, in_channels), persistent=False)

    def forward(self, image: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        return (image - self.mean) / self.std


def _per_channel(values: Sequence[float], channels: int) -> Float[Tensor, "c 1 1"]:
    statistics = torch.tensor(values)
    if len(values) != channels:
        statistics = statistics.mean().expand(channels).clone()
    return statistics.view(-1, 1, 1)
