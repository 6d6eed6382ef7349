"""Which class was taken for which, counted over a whole set, and any score of that."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Integer
from torch import Tensor
from torchmetrics import Metric

from src.metric.count import count, matrix, refuse_strangers, same_shape


class Confusion(Metric):
    """The confusion matrix of class maps, or a score of it. All of them have equal states, so that one serves many.

    Counts are integers: any number of processes and any division into batches gives the same. An update reads nothing
    back from an accelerator; there a value that is no class is refused in `compute`, on a CPU at once.
    """

    is_differentiable = False
    full_state_update = False
    counts: Tensor

    def __init__(self, num_classes: int, score: Callable[[Tensor], Tensor] | None = None, **options: Any) -> None:
        """Start at nothing.

        Args:
            num_classes: at most 255.
            score: what `compute` makes of the matrix; None for the matrix itself.
            options: see `torchmetrics.Metric`.
        """
        super().__init__(**options)
        self.num_classes, self.score = num_classes, score
        bins = num_classes + 2
        self.add_state("counts", torch.zeros(bins, bins, dtype=torch.int64), dist_reduce_fx="sum")

    def update(self, output: Integer[Tensor, " b h w"], target: Integer[Tensor, " b h w"]) -> None:
        """Count a batch.

        Args:
            output: class per pixel, uint8 for speed; 255 is no answer, and wrong.
            target: class per pixel, 255 unknown.

        Raises:
            ValueError: the shapes differ, or (on a CPU) a value is neither a class nor 255.
        """
        same_shape(output, target)
        counts = count(output.reshape(1, -1), target.reshape(1, -1), self.num_classes)[0]
        if counts.device.type == "cpu":
            refuse_strangers(counts)
        self.counts += counts

    def compute(self) -> Tensor:
        """The score, or int64 [c c+1]: true class by predicted class, the last column no answer; on the CPU.

        Raises:
            ValueError: some value was neither a class nor 255.
        """
        counts = self.counts.cpu()  # scores are float64, which not every accelerator has
        refuse_strangers(counts)
        return matrix(counts) if self.score is None else self.score(matrix(counts))
