"""A score taken image by image and averaged over the images, as opposed to once over the pixels of the whole set."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor
from torchmetrics import Metric

from src.metric.count import count, matrix, refuse_strangers, same_shape


class PerImage(Metric):
    """The mean over images of a score of each image's own confusion matrix.

    A small object in one image weighs here as much as a large one in another; VOC, COCO and Cityscapes report the
    figure of the whole set instead. An image without a score, one that is all unknown, does not count. The state is
    float64, which Apple's accelerators lack.
    """

    is_differentiable = False
    full_state_update = False
    total: Tensor
    images: Tensor

    def __init__(self, num_classes: int, score: Callable[[Tensor], Tensor], **options: Any) -> None:
        """Start at nothing.

        Args:
            num_classes: 2, yes and no, where masks overlap.
            score: [b c c+1] -> [b], or [b k 2 3] -> [b] where masks overlap.
            options: see `torchmetrics.Metric`.
        """
        super().__init__(**options)
        self.num_classes, self.score = num_classes, score
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("images", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    def update(
        self, output: Integer[Tensor, " b *k h w"] | Bool[Tensor, " b *k h w"], target: Integer[Tensor, " b *k h w"]
    ) -> None:
        """Score a batch's images; values as for `Confusion` or `ChannelConfusion`, whose check this relies on
        where it cannot look without waiting for the device.
        """
        same_shape(output, target)
        output = output.byte() if output.dtype == torch.bool else output
        counts = count(output.flatten(-2).flatten(0, -2), target.flatten(-2).flatten(0, -2), self.num_classes)
        if counts.device.type == "cpu":
            refuse_strangers(counts)
        scores = self.score(matrix(counts.unflatten(0, target.shape[:-2])))
        self.total += scores.nansum()
        self.images += scores.isfinite().sum()

    def compute(self) -> Float[Tensor, ""]:
        """The mean over the images that have a score; NaN where none has."""
        return self.total / self.images
