"""Which channels were wrongly on or off where masks overlap, counted over a whole set, and any score of that."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Integer
from torch import Tensor
from torchmetrics import Metric

from src.metric.count import count, matrix, refuse_strangers, same_shape


class ChannelConfusion(Metric):
    """A yes-or-no confusion matrix per channel, or a score of them; otherwise as `Confusion`."""

    is_differentiable = False
    full_state_update = False
    counts: Tensor

    def __init__(self, num_channels: int, score: Callable[[Tensor], Tensor] | None = None, **options: Any) -> None:
        """Start at nothing; see `Confusion`."""
        super().__init__(**options)
        self.score = score
        self.add_state("counts", torch.zeros(num_channels, 4, 4, dtype=torch.int64), dist_reduce_fx="sum")

    def update(
        self, output: Integer[Tensor, " b k h w"] | Bool[Tensor, " b k h w"], target: Integer[Tensor, " b k h w"]
    ) -> None:
        """Count a batch.

        Args:
            output: 0 or 1, thresholds are applied; 255 is no answer, and wrong.
            target: 0 or 1, 255 unknown.

        Raises:
            ValueError: the shapes differ, the channels are not as many, or (on a CPU) a value is none of these.
        """
        same_shape(output, target)
        if output.shape[1] != len(self.counts):
            raise ValueError(f"{output.shape[1]} channels in the output, {len(self.counts)} classes to score")
        output = output.byte() if output.dtype == torch.bool else output
        counts = count(output.transpose(0, 1).flatten(1), target.transpose(0, 1).flatten(1), num_classes=2)
        if counts.device.type == "cpu":
            refuse_strangers(counts)
        self.counts += counts

    def compute(self) -> Tensor:
        """The score, or int64 [k 2 3]: truth by answer, the last column no answer; on the CPU.

        Raises:
            ValueError: some value was neither 0, 1 nor 255.
        """
        counts = self.counts.cpu()
        refuse_strangers(counts)
        return matrix(counts) if self.score is None else self.score(matrix(counts))
