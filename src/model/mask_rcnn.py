"""Mask R-CNN (He et al., 2017): Faster R-CNN, and a small FCN that draws each object inside its box."""

from collections.abc import Callable
from typing import Any

from torch import nn
from torchvision.models.detection import MaskRCNN_ResNet50_FPN_Weights

from src.model.detector.published import load
from src.model.detector.rcnn import Rcnn


class MaskRCNN(Rcnn):
    """Proposals, a branch for boxes and one for masks, on any backbone and neck."""

    masks = True

    def __init__(
        self,
        roi: Callable[..., nn.Module],
        mask: Callable[..., nn.Module],
        weights: str | None = None,
        *,
        out_channels: int,
        **parts: Any,
    ) -> None:
        """Complete the parts.

        Args:
            roi: see `Rcnn`.
            mask: `mask(channels=, out_channels=)` builds the branch for masks.
            weights: of the whole; null for none, default for torchvision's on COCO, or the path of its file.
            out_channels: classes without background.
            parts: see `Rcnn`.

        Raises:
            ValueError: the parts don't fit one another, or the weights cannot be had or don't fit.
        """
        super().__init__(roi=roi, out_channels=out_channels, **parts)
        self._add("mask", mask, roi, out_channels)
        load(self, weights, MaskRCNN_ResNet50_FPN_Weights.DEFAULT.url)
