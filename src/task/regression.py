"""Regression of any float field of a dataset, such as the albedo of intrinsic images."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchmetrics import Metric

from src.data.color import graded, lit
from src.data.description import Description
from src.data.field import VALUES
from src.data.sample import Batch
from src.metric import suite
from src.task.task import Task
from src.task.terms import terms


class Regression(Task):
    """As many numbers per pixel as the field has channels, in its own unit."""

    fields = ("image",)  # of an object with its own field beside it

    def __init__(
        self,
        description: Description,
        model: Callable[..., nn.Module],
        loss: nn.Module,
        optimizer: Callable[..., Optimizer],
        scheduler: Callable[..., LRScheduler] | None = None,
        *,
        field: str,
        metrics: dict[str, Metric] | None = None,
        **options: Any,
    ) -> None:
        """Put the parts together.

        Args:
            model: completed with in_channels and out_channels.
            loss: of maps [b c h w], target NaN unknown.
            field: one of `src.data.field.VALUES`, which says how many channels it has.
            metrics: torchmetrics metrics of your own, by name; they see maps, target NaN unknown.
            options: see `Task`.

        Raises:
            ValueError: there is no such field.
        """
        if field not in VALUES:
            raise ValueError(f"task.field={field} is no float field: there are {', '.join(VALUES)}")
        net = model(in_channels=description.channels, out_channels=VALUES[field])
        super().__init__(
            description, net, loss, suite.regression(description, extra=metrics), optimizer, scheduler, **options
        )
        self.field, self.fields = field, ("image", field)

    def forward(self, batch: Batch) -> Tensor:
        """The field's values [b c h w]; in evaluation at the size of the file."""
        return self.sized(self.model(batch.image), batch)

    def losses(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        return terms(self.loss, output, self.target(batch))

    def answer(self, output: Tensor) -> Float[Tensor, " b c h w"]:
        return output.float()

    def weight(self, batch: Batch) -> Tensor:
        """What the loss's mean divides by: the known values, unless the loss knows better."""
        target = self.target(batch)
        return self.loss.total_weight(target) if hasattr(self.loss, "total_weight") else (~target.isnan()).sum()

    def target(self, batch: Batch) -> Tensor:
        assert batch.values is not None
        return batch.values[self.field]

    def named_scores(self, values: dict[str, Tensor]) -> dict[str, float]:
        return {"score": float(values["r2"]), **suite.flat(values, self.description)}

    def panels(self, batch: Batch, answer: Tensor) -> dict[str, UInt8[Tensor, " b 3 i j"]]:
        """Three channels as red, green and blue light, one from dark violet over blue and green to yellow.

        Each image spans the range of its own target, from 0 or below; grey is unknown. The error, the mean over the
        channels, is dark violet where there is none and yellow where it is as large as that range.
        """
        target = self.target(batch)
        unknown = target.isnan().any(1, keepdim=True)
        low = target.nan_to_num(torch.inf).amin((1, 2, 3), keepdim=True).clamp_max(0)
        high = target.nan_to_num(-torch.inf).amax((1, 2, 3), keepdim=True)
        span = (high - low).clamp_min(1e-6)
        return {
            "image": self.pictured(batch),
            "target": lit((target - low) / span),
            "prediction": lit((answer - low) / span),
            "error": graded(((answer - target).abs() / span).masked_fill(unknown, torch.nan).mean(1)),
        }
