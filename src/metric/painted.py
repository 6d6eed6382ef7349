"""Objects painted into a class map, so that what finds objects and what maps classes stand in one table."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Bool, Integer, Num, UInt8
from torch import Tensor
from torchmetrics import Metric

from src.data.description import UNKNOWN
from src.data.sample import Instances
from src.metric.count import count, matrix, refuse_strangers, same_shape
from src.metric.overlap import average, dice, iou


class Painted(Metric):
    """Mean IoU and Dice of a map of background and countable classes, as `Confusion` counts class maps.

    Where objects overlap the smaller one is on top, as `data=coco task=semantic` paints the truth: a hand on a table is
    seen, whatever the scores say, and objects that are found exactly as they are give 1. Of equal areas the more
    certain is on top. A crowd is unknown. Counts are integers: any number of processes gives the same.
    """

    is_differentiable = False
    full_state_update = False
    counts: Tensor

    def __init__(self, countable: Sequence[int], threshold: float, **options: Any) -> None:
        """Start at nothing.

        Args:
            countable: labels of objects.
            threshold: of the score from which an object is painted.
            options: see `torchmetrics.Metric`.
        """
        super().__init__(**options)
        self.countable, self.threshold = list(countable), threshold
        bins = len(self.countable) + 3  # the background's, that of the unknown and that of strangers
        self.add_state("counts", torch.zeros(bins, bins, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, output: Sequence[Instances], target: Sequence[Instances]) -> None:
        """Paint and count a batch; images whose target has no masks are left out.

        Args:
            output: found in each image, with scores and masks, in the pixels of its target.
            target: there in each image.
        """
        for found, there in zip(output, target, strict=True):
            if there.masks is None:
                continue
            certain = found.scores.argsort(stable=True)  # the last one is painted over the others
            certain = certain[found.scores[certain] >= self.threshold]
            said = painted(found.masks[certain], self._values(found)[certain])
            true = painted(there.masks, self._values(there)).to(said.device)
            same_shape(said, true)
            counts = count(said.view(1, -1), true.view(1, -1), len(self.countable) + 1)
            self.counts += counts[0].to(self.counts.device)

    def compute(self) -> dict[str, Tensor]:
        """map/miou and map/dice, NaN where nothing is known; on the CPU, float64."""
        counts = self.counts.cpu()
        refuse_strangers(counts)
        return {f"map/{name}": average(matrix(counts), of, "exclude") for name, of in (("miou", iou), ("dice", dice))}

    def _values(self, objects: Instances) -> UInt8[Tensor, " n"]:
        """What each object is painted with: its place among the countable classes after the background."""
        labels = objects.labels
        values = 1 + torch.searchsorted(torch.tensor(self.countable, device=labels.device), labels.long())
        if objects.crowd is not None:
            values = values.masked_fill(objects.crowd, UNKNOWN)
        return values.byte()


def painted(
    masks: Num[Tensor, " n h w"] | Bool[Tensor, " n h w"], values: Integer[Tensor, " n"]
) -> UInt8[Tensor, " h w"]:
    """0 and, where masks are, their values; smaller masks on top of larger ones, of equal ones the last."""
    masks = masks.bool()
    canvas = torch.zeros(masks.shape[1:], dtype=torch.uint8, device=masks.device)
    for index in masks.flatten(1).sum(1).argsort(descending=True, stable=True).tolist():
        canvas.masked_fill_(masks[index], values[index])
    return canvas
