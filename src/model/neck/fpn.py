"""Feature pyramid network (Lin et al., 2017): levels of one width, each of which knows what the deeper ones do."""

from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from src.model.interface import Backbone, Norm, listed


class Fpn(nn.Module):
    """torchvision's pyramid on the backbone's features, and a level more, of every second cell, for large anchors.

    Args:
        width: channels of every level.
        finest: reduction of the shallowest level; shallower features of the backbone are left alone.
        norm: of each convolution; None for none, as published.

    Raises:
        ValueError: the backbone's features from `finest` on don't halve from one to the next.
    """

    def __init__(self, width: int = 256, finest: int = 4, norm: Norm | None = None, *, backbone: Backbone) -> None:
        super().__init__()
        taps = [index for index, reduction in enumerate(backbone.reductions) if reduction >= finest]
        self.reductions = [backbone.reductions[tap] for tap in taps]
        if not taps or self.reductions[0] & (self.reductions[0] - 1) or _uneven(self.reductions):
            raise ValueError(
                f"model/neck=fpn takes features from ÷{finest} (model.neck.finest) on, each half the size of the one "
                f"before, and this backbone gives {listed(backbone.reductions)}: take a pyramid such as "
                "model/backbone=resnet18 or convnext_tiny, or model/neck=dc5, which reads one feature"
            )
        self.taps, self.levels = taps, len(taps) + 1
        self.channels = self.out_channels = width
        self.stage, self.stride = nn.Identity(), 1
        widths = [backbone.channels[tap] for tap in taps]
        self.fpn = FeaturePyramidNetwork(widths, width, LastLevelMaxPool(), norm)

    def forward(self, features: list[Tensor]) -> dict[str, Float[Tensor, "b width _ _"]]:
        """The backbone's features -> levels, shallow to deep, of which the last is for proposals alone."""
        return self.fpn({str(index): features[tap] for index, tap in enumerate(self.taps)})


def _uneven(reductions: list[int]) -> bool:
    return any(deep != 2 * shallow for shallow, deep in pairwise(reductions))
