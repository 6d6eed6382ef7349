"""Surface normals: at every pixel the direction that the surface there faces."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchmetrics import Metric

from src.data.color import graded
from src.data.description import Description
from src.data.direction import angle
from src.data.sample import Batch
from src.metric import suite
from src.task.task import Task
from src.task.terms import terms

_SHORTEST = 0.01  # a shorter output is only made 100 times as long, so that the gradient stays finite
_WORST = 60.0  # degrees, from which an error is painted in the last colour


class Normals(Task):
    """Three numbers per pixel -> a unit vector in the camera's frame (x right, y down, z forward)."""

    fields = ("image", "normals")

    def __init__(
        self,
        description: Description,
        model: Callable[..., nn.Module],
        loss: nn.Module,
        optimizer: Callable[..., Optimizer],
        scheduler: Callable[..., LRScheduler] | None = None,
        *,
        metrics: dict[str, Metric] | None = None,
        **options: Any,
    ) -> None:
        """Put the parts together.

        Args:
            model: completed with in_channels and out_channels.
            loss: of unit vectors [b 3 h w], target NaN unknown. One that has `channels` is given as many: what the
                model says beyond the vector, such as its uncertainty.
            metrics: torchmetrics metrics of your own, by name; they see unit normals, target 0 unknown.
            options: see `Task`.
        """
        net = model(in_channels=description.channels, out_channels=getattr(loss, "channels", 3))
        scores = suite.normals(description, extra=metrics)
        super().__init__(description, net, loss, scores, optimizer, scheduler, **options)

    def forward(self, batch: Batch) -> Tensor:
        """Vectors of any length, and what the loss wants beside them, [b k h w]; in evaluation at the file's size."""
        return self.sized(self.model(batch.image), batch)

    def losses(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        target = self.target(batch)
        target = target.masked_fill((target == 0).all(1, keepdim=True), torch.nan)
        vectors, beside = output.float().split([3, output.shape[1] - 3], 1)
        output = torch.cat([F.normalize(vectors, dim=1, eps=_SHORTEST), beside], 1)
        return terms(self.loss, output, target)

    def answer(self, output: Tensor) -> Float[Tensor, " b 3 h w"]:
        """Unit normals."""
        return F.normalize(output[:, :3].float(), dim=1)

    def weight(self, batch: Batch) -> Tensor:
        """The known pixels, by which the loss's mean divides."""
        return (self.target(batch) != 0).any(1).sum()

    def target(self, batch: Batch) -> Tensor:
        assert batch.normals is not None
        return batch.normals

    def named_scores(self, values: dict[str, Tensor]) -> dict[str, float]:
        return {"score": float(values["under_11_25"]), **suite.flat(values, self.description)}

    def panels(self, batch: Batch, answer: Tensor) -> dict[str, UInt8[Tensor, " b 3 i j"]]:
        """Normals as most people paint them: red to the right, green up, blue towards the viewer, grey unknown.

        The error is dark violet where there is none, over blue and green to yellow at 60 degrees and more.
        """
        target = self.target(batch)
        unknown = (target == 0).all(1)
        return {
            "image": self.pictured(batch),
            "target": _colored(target),
            "prediction": _colored(answer),
            "error": graded((angle(answer, target).rad2deg() / _WORST).masked_fill(unknown, torch.nan)),
        }


def _colored(normals: Float[Tensor, " b 3 h w"]) -> UInt8[Tensor, " b 3 h w"]:
    """(n + 1) / 2 of (x, -y, -z): y up and z towards the viewer, so that a wall that faces the camera is light blue."""
    flipped = normals * normals.new_tensor([1.0, -1.0, -1.0]).view(3, 1, 1)
    return ((flipped + 1) * 127.5).round().clamp(0, 255).byte()
