"""Mask R-CNN for poses (He et al., 2017, section 5): Faster R-CNN, and a map for each of an object's keypoints."""

from collections.abc import Callable
from typing import Any

from torch import nn
from torchvision.models.detection import KeypointRCNN_ResNet50_FPN_Weights

from src.model.detector.published import load
from src.model.detector.rcnn import Rcnn


class KeypointRCNN(Rcnn):
    """Proposals, a branch for boxes, one for keypoints, and one for masks if wanted, on any backbone and neck."""

    def __init__(
        self,
        roi: Callable[..., nn.Module],
        keypoint: Callable[..., nn.Module],
        mask: Callable[..., nn.Module],
        masks: bool = False,
        weights: str | None = None,
        *,
        out_channels: int,
        num_keypoints: int,
        **parts: Any,
    ) -> None:
        """Complete the parts.

        Args:
            roi: see `Rcnn`.
            keypoint: `keypoint(channels=, out_channels=)` builds the branch for keypoints.
            mask: `mask(channels=, out_channels=)` builds the branch for masks, if there are to be any.
            masks: whether objects get masks as well.
            weights: of the whole; null for none, default for torchvision's on COCO, or the path of its file.
            out_channels: classes without background.
            num_keypoints: of an object.
            parts: see `Rcnn`.

        Raises:
            ValueError: the parts don't fit one another, or the weights cannot be had or don't fit.
        """
        super().__init__(roi=roi, out_channels=out_channels, **parts)
        self.masks = masks
        if masks:
            self._add("mask", mask, roi, out_channels)
        self._add("keypoint", keypoint, roi, num_keypoints)
        load(self, weights, KeypointRCNN_ResNet50_FPN_Weights.DEFAULT.url)
