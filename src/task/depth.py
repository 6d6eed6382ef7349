"""Depth: how far away along the optical axis what each pixel shows is, in metres."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchmetrics import Metric

from src.data.color import graded
from src.data.description import Description
from src.data.sample import Batch
from src.metric import suite
from src.task.task import Task
from src.task.terms import terms

_WORST = 0.5  # of the true depth, from which an error is painted in the last colour


class Depth(Task):
    """A number per pixel, log-depth or depth -> metres."""

    fields = ("image", "depth")

    def __init__(
        self,
        description: Description,
        model: Callable[..., nn.Module],
        loss: nn.Module,
        optimizer: Callable[..., Optimizer],
        scheduler: Callable[..., LRScheduler] | None = None,
        *,
        measure: str = "log",
        cap: Sequence[float | int] = (1e-3, 10.0),
        crop: str = "none",
        align: str = "none",
        averaging: str = "image",
        metrics: dict[str, Metric] | None = None,
        **options: Any,
    ) -> None:
        """Put the parts together.

        Args:
            model: completed with in_channels and out_channels.
            loss: of maps [b 1 h w] in `measure`, target NaN unknown; all that is known is priced, whatever the cap.
            measure: whether the model says log-depth, which is never negative as a depth, or metres.
            cap, crop, align, averaging: what is scored and how, see `src.metric.depth.Depth`.
            metrics: torchmetrics metrics of your own, by name; they see metres, target 0 unknown.
            options: see `Task`.

        Raises:
            ValueError: another word for measure, a loss of the other one, or what the metric refuses.
        """
        if measure not in ("log", "metres"):
            raise ValueError(f"task.measure={measure}: say log or metres")
        if measure == "metres" and any(getattr(part, "measure", "") == "log" for part in loss.modules()):
            raise ValueError(
                f"task.measure=metres, but {type(loss).__name__} compares logs of depths: say task.measure=log, or "
                "take a loss such as l1 or berhu"
            )
        net = model(in_channels=description.channels, out_channels=1)
        scores = suite.depth(description, cap=cap, crop=crop, align=align, averaging=averaging, extra=metrics)
        super().__init__(description, net, loss, scores, optimizer, scheduler, **options)
        self.measure = measure

    def forward(self, batch: Batch) -> Float[Tensor, " b 1 h w"]:
        """Log-depth or depth; in evaluation at the size of the file."""
        return self.sized(self.model(batch.image), batch)

    def losses(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        return terms(self.loss, output, self._wanted(batch))

    def answer(self, output: Tensor) -> Float[Tensor, " b 1 h w"]:
        """Metres, as the network has them: not clamped to the cap."""
        return output.float().exp() if self.measure == "log" else output.float()

    def weight(self, batch: Batch) -> Tensor:
        """What the loss's mean divides by: the known pixels, unless the loss says otherwise."""
        if hasattr(self.loss, "total_weight"):
            return self.loss.total_weight(self._wanted(batch))
        return (self.target(batch) > 0).sum()

    def target(self, batch: Batch) -> Tensor:
        assert batch.depth is not None
        return batch.depth

    def _wanted(self, batch: Batch) -> Float[Tensor, " b 1 h w"]:
        """The target as the loss takes it."""
        target = self.target(batch)
        known = target.masked_fill(target <= 0, torch.nan)
        return known.log() if self.measure == "log" else known

    def named_scores(self, values: dict[str, Tensor]) -> dict[str, float]:
        return {"score": float(values["delta1"]), **suite.flat(values, self.description)}

    def panels(self, batch: Batch, answer: Tensor) -> dict[str, UInt8[Tensor, " b 3 i j"]]:
        """Depth is dark violet at the nearest known point of the image, over blue and green yellow at the farthest.

        Steps are of log-depth, and the prediction has the target's scale. The error is relative to the true depth:
        dark violet where there is none, yellow at a half and more. Grey is unknown.
        """
        target = self.target(batch)
        unknown = target <= 0
        return {
            "image": self.pictured(batch),
            "target": graded(_placed(target, target).masked_fill(unknown, torch.nan)[:, 0]),
            "prediction": graded(_placed(answer, target)[:, 0]),
            "error": graded(((answer - target).abs() / target / _WORST).masked_fill(unknown, torch.nan)[:, 0]),
        }


def _placed(depth: Float[Tensor, " b 1 h w"], target: Float[Tensor, " b 1 h w"]) -> Float[Tensor, " b 1 h w"]:
    """Log-depth from 0, at the nearest known pixel of each image, to 1 at the farthest: near things differ most."""
    known = target.clamp_min(1e-3).log()
    nearest = known.masked_fill(target <= 0, torch.inf).amin((1, 2, 3), keepdim=True)
    farthest = known.masked_fill(target <= 0, -torch.inf).amax((1, 2, 3), keepdim=True)
    return (depth.clamp_min(1e-3).log() - nearest) / (farthest - nearest).clamp_min(1e-6)
