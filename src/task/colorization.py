"""Colorization: the colour of every pixel from its lightness, by classification or regression (Zhang et al., 2016)."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchmetrics import Metric

from src.data.color import graded
from src.data.description import Description
from src.data.gamut import FULL, annealed_mean
from src.data.lab import lab, srgb
from src.data.sample import Batch
from src.metric import suite
from src.task.task import Task
from src.task.terms import terms

_WORST = 50.0  # distance in the plane of a and b, from which an error is painted in the last colour


class Colorization(Task):
    """Lightness -> bins of colour, or a and b themselves; any dataset of colour images will do."""

    fields = ("image",)
    in_channels = 1  # lightness

    def __init__(
        self,
        description: Description,
        model: Callable[..., nn.Module],
        loss: nn.Module,
        optimizer: Callable[..., Optimizer],
        scheduler: Callable[..., LRScheduler] | None = None,
        *,
        temperature: float | int = 0.38,
        metrics: dict[str, Metric] | None = None,
        **options: Any,
    ) -> None:
        """Put the parts together.

        Args:
            model: completed with in_channels and out_channels.
            loss: of a and b [b 2 h w]; its `channels` say what the model gives: 313 bins, or a and b by 110.
            temperature: of the mean over bins: 1 is the mean, 0 the most probable one.
            metrics: torchmetrics metrics of your own, by name; they see a and b, and as target L, a and b.
            options: see `Task`.

        Raises:
            ValueError: the images are not RGB, or the loss is not one of colours.
        """
        if description.channels != 3:
            raise ValueError(
                f"task=colorization learns the colours of RGB images, and those of this dataset have "
                f"{description.channels} channel{'s' * (description.channels != 1)}: take a dataset of colour images"
            )
        if not hasattr(loss, "channels"):
            raise ValueError(
                f"task=colorization: {type(loss).__name__} prices no colours: take loss=color_bins or loss=smooth_l1"
            )
        net = model(in_channels=self.in_channels, out_channels=loss.channels)
        scores = suite.colorization(description, extra=metrics)
        super().__init__(description, net, loss, scores, optimizer, scheduler, **options)
        self.temperature = temperature
        self._last: tuple[Tensor, Tensor] | None = None  # the images that were seen last, and their L, a and b

    def forward(self, batch: Batch) -> Float[Tensor, " b k h w"]:
        """Logits of bins, or a and b by 110, at the size that the network saw."""
        return self.model(self.target(batch)[:, :1] / 100)

    def losses(self, output: Tensor, batch: Batch) -> dict[str, Tensor]:
        return terms(self.loss, output, self.target(batch)[:, 1:])

    def answer(self, output: Tensor) -> Float[Tensor, " b 2 h w"]:
        """a and b."""
        return FULL * output.float() if output.shape[1] == 2 else annealed_mean(output, self.temperature)

    def weight(self, batch: Batch) -> Tensor:
        """The pixels by which the loss's mean divides."""
        if hasattr(self.loss, "total_weight"):
            return self.loss.total_weight(self.target(batch)[:, 1:])
        return torch.tensor(float(batch.image[:, 0].numel()), device=batch.image.device)

    def target(self, batch: Batch) -> Float[Tensor, " b 3 h w"]:
        """L, which is given, a and b; computed once for a step, which asks for them up to four times."""
        if self._last is None or self._last[0] is not batch.image:
            self._last = batch.image, lab(batch.image)
        return self._last[1]

    def named_scores(self, values: dict[str, Tensor]) -> dict[str, float]:
        return {"score": float(values["auc"]), **suite.flat(values, self.description)}

    def panels(self, batch: Batch, answer: Tensor) -> dict[str, UInt8[Tensor, " b 3 i j"]]:
        """The image, its lightness as the network sees it, and that in the answer's colours.

        The error is dark violet where there is none, over blue and green to yellow at a distance of 50 and more.
        """
        target = self.target(batch)
        lightness, ab = target[:, :1], target[:, 1:]
        return {
            "image": _bytes(batch.image),
            "grey": _bytes(srgb(torch.cat([lightness, torch.zeros_like(ab)], 1))),
            "prediction": _bytes(srgb(torch.cat([lightness, answer], 1))),
            "error": graded((answer - ab).square().sum(1).sqrt() / _WORST),
        }


def _bytes(image: Float[Tensor, " b 3 h w"]) -> UInt8[Tensor, " b 3 h w"]:
    return (image.clamp(0, 1) * 255).round().byte()
