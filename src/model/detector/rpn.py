"""Region proposal network (Ren et al., 2015): boxes that may hold an object, scored at every cell."""

from collections.abc import Sequence
from math import sqrt

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead


class Rpn(RegionProposalNetwork):
    """torchvision's, whose boxes are float32 whatever the precision of the features.

    Args:
        sizes: sides of square anchors in pixels: one for each level, or all of them at the only level.
        ratios: of their heights to their widths.
        base: pixels at which an anchor's shape is rounded before it is enlarged, around the middle of its cell, as
            py-faster-rcnn has it (16); None for torchvision's, rounded at last and around the cell's corner.
        foreground, background: IoU from which an anchor is an object's, and below which it is none's.
        samples: anchors of each image that are learned from.
        positive: share of them, at most, that are an object's.
        before_nms: boxes of each level that are left before suppression: in training, in evaluation.
        after_nms: boxes of each image that are left after it.
        nms: IoU above which the worse of two boxes is dropped.
        width: channels of the 3×3 convolution; None for those of the features.
        channels: of the features.
        levels: how many of them.

    Raises:
        ValueError: there are neither as many sizes as levels, nor a single level.
    """

    def __init__(
        self,
        sizes: Sequence[int] = (32, 64, 128, 256, 512),
        ratios: Sequence[float] = (0.5, 1.0, 2.0),
        base: int | None = None,
        foreground: float = 0.7,
        background: float = 0.3,
        samples: int = 256,
        positive: float = 0.5,
        before_nms: Sequence[int] = (2000, 1000),
        after_nms: Sequence[int] = (2000, 1000),
        nms: float = 0.7,
        width: int | None = None,
        *,
        channels: int,
        levels: int,
    ) -> None:
        generator = _Anchors(_by_level(sizes, levels), ratios, base)
        head = _Head(channels, generator.num_anchors_per_location()[0], width or channels)
        before, after = (dict(zip(("training", "testing"), pair, strict=True)) for pair in (before_nms, after_nms))
        super().__init__(generator, head, foreground, background, samples, positive, before, after, nms)

    def forward(
        self, images: ImageList, features: dict[str, Tensor], targets: list[dict[str, Tensor]] | None = None
    ) -> tuple[list[Float[Tensor, "_ 4"]], dict[str, Float[Tensor, ""]]]:
        """Boxes of each image in pixels, the best first; and in training the terms `objectness` and `rpn_box`."""
        boxes, losses = super().forward(images, features, targets)
        names = {"loss_objectness": "objectness", "loss_rpn_box_reg": "rpn_box"}
        return boxes, {names[name]: loss for name, loss in losses.items()}


def anchors(sizes: Sequence[int], ratios: Sequence[float], base: int) -> Float[Tensor, "a 4"]:
    """A cell's anchors as py-faster-rcnn makes them, in pixel edges; the cell, `base` wide, begins at 0."""
    found = []
    for ratio in ratios:
        width = round(sqrt(base * base / ratio))
        height = round(width * ratio)
        for size in sizes:
            x, y = width * size / base / 2, height * size / base / 2
            found.append([base / 2 - x, base / 2 - y, base / 2 + x, base / 2 + y])
    return torch.tensor(found)


class _Anchors(AnchorGenerator):
    def __init__(self, sizes: Sequence[Sequence[int]], ratios: Sequence[float], base: int | None) -> None:
        super().__init__(tuple(map(tuple, sizes)), (tuple(ratios),) * len(sizes))
        if base is not None:
            self.cell_anchors = [anchors(level, ratios, base) for level in sizes]

    def forward(self, image_list: ImageList, feature_maps: list[Tensor]) -> list[Tensor]:
        shapes = [feature.new_empty((1, 1, *feature.shape[-2:]), dtype=torch.float32) for feature in feature_maps]
        return super().forward(image_list, shapes)


class _Head(RPNHead):
    def __init__(self, channels: int, anchors: int, width: int) -> None:
        super().__init__(width, anchors)
        if width != channels:
            self.conv[0][0] = nn.Conv2d(channels, width, kernel_size=3, padding=1)
            nn.init.normal_(self.conv[0][0].weight, std=0.01)
            nn.init.zeros_(self.conv[0][0].bias)

    def forward(self, x: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        logits, deltas = super().forward(x)
        return [logit.float() for logit in logits], [delta.float() for delta in deltas]


def _by_level(sizes: Sequence[int], levels: int) -> list[list[int]]:
    if levels == 1:
        return [list(sizes)]
    if len(sizes) == levels:
        return [[size] for size in sizes]
    suited = [*sizes, *(sizes[-1] * 2**step for step in range(1, levels))][:levels]
    raise ValueError(
        f"model.rpn.sizes={list(sizes)}: this backbone and neck give {levels} levels, with one size at each; say "
        f"model.rpn.sizes={suited}"
    )
