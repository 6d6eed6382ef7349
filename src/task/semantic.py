"""Semantic segmentation: a class for every pixel, or several where masks overlap."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchmetrics import Metric

from src.data.color import flattened, painted
from src.data.description import UNKNOWN, Description
from src.data.sample import Batch
from src.metric import suite
from src.metric.labels import labels
from src.task.task import Task
from src.task.terms import terms


class Semantic(Task):
    """Logits per class -> the most probable class, or every class that is probable enough."""

    fields = ("image", "mask")

    def __init__(
        self,
        description: Description,
        model: Callable[..., nn.Module],
        loss: nn.Module,
        optimizer: Callable[..., Optimizer],
        scheduler: Callable[..., LRScheduler] | None = None,
        *,
        multilabel: bool = False,
        threshold: float = 0.5,
        absent: Literal["exclude", "zero", "one"] = "exclude",
        per_image: bool = False,
        trimap: Sequence[int] = (),
        metrics: dict[str, Metric] | None = None,
        **options: Any,
    ) -> None:
        """Put the parts together.

        Args:
            model: completed with in_channels and out_channels.
            multilabel: whether masks overlap; the dataset must say the same.
            threshold: of the probability from which a class is there, where masks overlap.
            absent: what the IoU of a class counts that is neither in target nor in output.
            per_image: whether the IoU averaged over images is scored as well.
            trimap: widths in pixels of bands around boundaries in which the IoU is scored as well.
            metrics: torchmetrics metrics of your own, by name.
            options: see `Task`.
        """
        if multilabel != description.multilabel:
            says = "overlapping masks" if description.multilabel else "one class per pixel"
            raise ValueError(f"task.multilabel={multilabel}, but the dataset has {says}")
        net = model(in_channels=description.channels, out_channels=description.num_classes)
        scores = suite.semantic(description, absent=absent, per_image=per_image, trimap=trimap, extra=metrics)
        super().__init__(description, net, loss, scores, optimizer, scheduler, **options)
        self.threshold = threshold

    def forward(self, batch: Batch) -> Tensor:
        """Logits [b k h w]; in evaluation at the size of the file."""
        return self.sized(self.model(batch.image), batch)

    def losses(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        return terms(self.loss, output, self.target(batch))

    def answer(self, output: Tensor) -> Tensor:
        """Class index [b h w], or 0 and 1 per class [b k h w] where masks overlap."""
        if self.description.multilabel:
            return (output.float().sigmoid() > self.threshold).byte()
        return labels(output)

    def weight(self, batch: Batch) -> Tensor:
        """What the loss's mean divides by, so that it does not depend on how the set was divided into batches."""
        if hasattr(self.loss, "total_weight"):
            return self.loss.total_weight(self.target(batch))
        return (self.target(batch) != UNKNOWN).sum()

    def target(self, batch: Batch) -> Tensor:
        assert batch.mask is not None
        return batch.mask

    def named_scores(self, values: dict[str, Tensor]) -> dict[str, float]:
        return {"score": float(values["miou"]), **suite.flat(values, self.description)}

    def panels(self, batch: Batch, answer: Tensor) -> dict[str, UInt8[Tensor, " b 3 i j"]]:
        """Green in the error is right, red is wrong, grey is unknown."""
        target = self.target(batch)
        unknown, wrong = target == UNKNOWN, target != answer
        if self.description.multilabel:
            unknown, wrong = unknown.all(1), (wrong & ~unknown).any(1)
            target, answer = (torch.stack([flattened(masks) for masks in maps]) for maps in (target, answer))
        verdict = torch.where(unknown, 2, wrong.long())
        return {
            "image": self.pictured(batch),
            "target": self._painted(target, self.description.colors),
            "prediction": self._painted(answer, self.description.colors),
            "error": self._painted(verdict, ((32, 140, 72), (214, 48, 49), (160, 160, 160))),
        }

    @staticmethod
    def _painted(maps: Tensor, colors: Sequence[tuple[int, int, int]]) -> UInt8[Tensor, " b 3 i j"]:
        return torch.stack([painted(mask, colors) for mask in maps])
