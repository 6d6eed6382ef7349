"""Faster R-CNN (Ren et al., 2015): what an image holds, and a box around each of it."""

from typing import Any

from torchvision.models.detection import FasterRCNN_ResNet50_FPN_Weights

from src.model.detector.published import load
from src.model.detector.rcnn import Rcnn


class FasterRCNN(Rcnn):
    """A region proposal network and a branch for boxes, on any backbone and neck."""

    def __init__(self, weights: str | None = None, **parts: Any) -> None:
        """Complete the parts.

        Args:
            weights: of the whole; null for none, default for torchvision's on COCO, or the path of its file.
            parts: see `Rcnn`.

        Raises:
            ValueError: the parts don't fit one another, or the weights cannot be had or don't fit.
        """
        super().__init__(**parts)
        load(self, weights, FasterRCNN_ResNet50_FPN_Weights.DEFAULT.url)
