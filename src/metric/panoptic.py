"""Panoptic quality: how well every pixel has its class, and every thing its own number (Kirillov et al., 2019)."""

from collections.abc import Collection
from typing import Any

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torchmetrics import Metric

from src.data.description import UNKNOWN
from src.metric.count import same_shape

Maps = tuple[Integer[Tensor, " b h w"], Integer[Tensor, " b h w"]]  # class per pixel, number of the object per pixel

_LEAST = 0.5  # IoU above which two segments match; at most one segment can reach that


class Panoptic(Metric):
    """PQ of segments, that is of the pixels of one image that share class and number; of stuff the number is ignored.

    Segments of a class match where their IoU is above 0.5. PQ of a class is the sum of these IoUs over TP + FP/2 +
    FN/2: the product of SQ, their mean, and RQ, the F1 of segments. Unknown pixels of the target count in no union,
    and a predicted segment of which more than half is unknown is not false; crowds are marked as unknown. A class
    that is neither in the target nor in the output is left out of a mean.
    """

    is_differentiable = False
    full_state_update = False
    iou: Tensor
    hits: Tensor
    false: Tensor
    missed: Tensor

    def __init__(self, num_classes: int, things: Collection[int], **options: Any) -> None:
        """Start at nothing.

        Args:
            num_classes: at most 255.
            things: indices of the countable classes.
            options: see `torchmetrics.Metric`.
        """
        super().__init__(**options)
        self.num_classes, self.things = num_classes, sorted(things)
        self.add_state("iou", torch.zeros(num_classes, dtype=torch.float64), dist_reduce_fx="sum")
        for name in ("hits", "false", "missed"):
            self.add_state(name, torch.zeros(num_classes, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, output: Maps, target: Maps) -> None:
        """Match the segments of a batch.

        Args:
            output: class per pixel, 255 no answer, and number of the object per pixel, from 0.
            target: the same, 255 unknown.

        Raises:
            ValueError: shapes differ, or a value is neither a class nor 255.
        """
        for maps in (output[1], *target):
            same_shape(maps, output[0])
        for name, (classes, _) in (("output", output), ("target", target)):
            self._refuse_strangers(classes, name)
        for classes, numbers, true_classes, true_numbers in zip(*output, *target, strict=True):
            self._count(self._segments(classes, numbers), self._segments(true_classes, true_numbers))

    def compute(self) -> dict[str, Float[Tensor, " *c"]]:
        """pq, sq and rq of all classes, the same for things and for stuff (pq_things ...), and pq/class [c]; float64.

        NaN where there is nothing, neither in the target nor in the output.
        """
        weight = self.hits + (self.false + self.missed) / 2
        matched = torch.where(self.hits > 0, self.iou / self.hits, 0.0).where(weight > 0, torch.nan)
        quality = {"pq": self.iou / weight, "sq": matched, "rq": self.hits / weight}
        thing = torch.zeros(self.num_classes, dtype=torch.bool, device=weight.device)
        thing[self.things] = True
        kinds = {"": thing | True, "_things": thing, "_stuff": ~thing}
        means = {name + kind: value[of].nanmean() for kind, of in kinds.items() for name, value in quality.items()}
        return means | {"pq/class": quality["pq"]}

    def _refuse_strangers(self, classes: Tensor, name: str) -> None:
        strange = (classes != UNKNOWN) & ((classes < 0) | (classes >= self.num_classes))
        if strange.any():
            raise ValueError(
                f"{int(strange.sum()):,} pixels of the {name} are neither a class (0 to {self.num_classes - 1}) nor "
                f"{UNKNOWN}, unknown: map the values to classes, or raise the number of classes"
            )

    def _segments(self, classes: Tensor, numbers: Tensor) -> Tensor:
        """Of each pixel, one integer that tells its segment, and modulo 255 its class; -1 unknown."""
        classes, numbers = classes.long(), numbers.long()
        thing = torch.isin(classes, torch.tensor(self.things, device=classes.device, dtype=torch.int64))
        return torch.where(classes == UNKNOWN, -1, numbers.where(thing, 0) * UNKNOWN + classes).flatten()

    def _count(self, output: Tensor, target: Tensor) -> None:
        """Add the matches of one image to the counts of their classes."""
        said, place = output.unique(return_inverse=True)
        true, spot = target.unique(return_inverse=True)
        both = torch.bincount(place * len(true) + spot, minlength=len(said) * len(true)).view(len(said), len(true))
        void = both[:, true == -1].sum(1)  # of each segment found, its unknown pixels
        sizes = both.sum(1)
        union = (sizes - void)[:, None] + both.sum(0) - both
        iou = both.double() / union
        known = (said >= 0)[:, None] & (true >= 0)
        hit = (iou > _LEAST) & (said[:, None] % UNKNOWN == true % UNKNOWN) & known
        rows, columns = hit.nonzero(as_tuple=True)
        false = (said >= 0) & ~hit.any(1) & (void <= sizes * _LEAST)
        missed = (true >= 0) & ~hit.any(0)
        self.iou.index_add_(0, said[rows] % UNKNOWN, iou[rows, columns])
        self.hits += torch.bincount(said[rows] % UNKNOWN, minlength=self.num_classes)
        self.false += torch.bincount(said[false] % UNKNOWN, minlength=self.num_classes)
        self.missed += torch.bincount(true[missed] % UNKNOWN, minlength=self.num_classes)
