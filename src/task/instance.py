"""Instance segmentation: the objects of an image, each with its class, box and mask."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchmetrics import Metric, MetricCollection

from src.data.description import Description
from src.data.drawing import drawn
from src.data.sample import Batch, Instances
from src.metric import suite
from src.task.task import Task


class Instance(Task):
    """A detector: in training the terms of its loss, otherwise the objects it finds at the size of the file."""

    fields = ("image", "instances")

    def __init__(
        self,
        description: Description,
        model: Callable[..., nn.Module],
        loss: nn.Module,
        optimizer: Callable[..., Optimizer],
        scheduler: Callable[..., LRScheduler] | None = None,
        *,
        threshold: float = 0.5,
        metrics: dict[str, Metric] | None = None,
        **options: Any,
    ) -> None:
        """Put the parts together.

        Args:
            model: a `Detector`, completed with in_channels, and with out_channels, the number of countable classes.
            loss: has `terms(output, target)` of the model's output in training, and their weights.
            threshold: of the score from which an object is painted into a map or a picture; AP counts all of them.
            metrics: of your own, by the key they are logged under; they see objects.
            options: see `Task`.

        Raises:
            ValueError: no class of the dataset is countable.
        """
        if not description.countable:
            raise ValueError("task=instance needs classes that are countable, and this dataset names no things")
        net = self.built(model, description)
        scores = self.scored(description, net, threshold, metrics)
        super().__init__(description, net, loss, scores, optimizer, scheduler, **options)
        self.threshold = threshold

    @staticmethod
    def built(model: Callable[..., nn.Module], description: Description) -> nn.Module:
        return model(in_channels=description.channels, out_channels=len(description.countable))

    @staticmethod
    def scored(
        description: Description, model: nn.Module, threshold: float, extra: dict[str, Metric] | None
    ) -> MetricCollection:
        return suite.instance(description, masks=model.masks, threshold=threshold, extra=extra)

    def forward(self, batch: Batch) -> dict[str, Any] | list[Instances]:
        """What the loss is made of, in training; otherwise objects, in pixels of the file."""
        images = [image[:, :height, :width] for image, (height, width) in zip(batch.image, batch.extent, strict=True)]
        if self.training:
            return self.model(images, [self._wanted(objects) for objects in self.target(batch)])
        countable = torch.tensor(self.description.countable, device=self.device)
        found = self.model(images, sizes=batch.size)
        return [replace(objects, labels=countable[objects.labels]) for objects in found]

    def losses(self, output: Any, batch: Batch) -> dict[str, Tensor]:
        """The loss's terms, weighted; none in evaluation, where a detector says objects and no more."""
        if not isinstance(output, dict):
            return {}
        return {name: self.loss.weights[name] * term for name, term in self.loss.terms(output).items()}

    def answer(self, output: list[Instances]) -> list[Instances]:
        return output

    def target(self, batch: Batch) -> list[Instances]:
        assert batch.instances is not None
        return batch.instances

    def named_scores(self, values: dict[str, Tensor]) -> dict[str, float]:
        numbers = suite.flat(values, self.description)
        return {"score": next(iter(numbers.values())), **numbers}

    def panels(self, batch: Batch, answer: list[Instances]) -> dict[str, UInt8[Tensor, " b 3 i j"]]:
        """Objects of another color each, those of the prediction that score at least `threshold`."""
        image = self.pictured(batch)
        kept = [objects.only(objects.scores >= self.threshold) for objects in answer]
        return {
            "image": image,
            "target": self._drawn(image, self.target(batch)),
            "prediction": self._drawn(image, kept),
        }

    def _drawn(self, images: Tensor, found: Sequence[Instances]) -> Tensor:
        pairs = zip(images.cpu(), found, strict=True)
        return torch.stack([drawn(image, objects, self.description) for image, objects in pairs])

    def _wanted(self, objects: Instances) -> Instances:
        """What a detector learns: no crowds, and classes counted among the countable ones."""
        if objects.crowd is not None:
            objects = objects.only(~objects.crowd)
        place = torch.full((self.description.num_classes,), -1, device=objects.labels.device)
        place[list(self.description.countable)] = torch.arange(len(self.description.countable), device=place.device)
        return replace(objects, labels=place[objects.labels.long()])
