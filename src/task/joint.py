"""Several fields of an image at once, each a task of its own, from one network (Eigen & Fergus, 2015)."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import fmean
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torch.utils._pytree import tree_leaves

from src.data.description import Description
from src.data.sample import Batch
from src.metric import suite
from src.task.task import Task


class Joint(Task):
    """What each field is, its own task says; this one shares the network and weighs the losses."""

    fields = ("image",)  # of an object those of its parts

    def __init__(
        self,
        description: Description,
        model: Callable[..., nn.Module],
        loss: Callable[..., nn.Module],
        optimizer: Callable[..., Optimizer],
        scheduler: Callable[..., LRScheduler] | None = None,
        *,
        fields: Sequence[str] = ("mask", "depth", "normals"),
        parts: Mapping[str, Callable[..., Task]],
        **options: Any,
    ) -> None:
        """Put the parts together.

        Args:
            model: completed with in_channels, and with out_channels by field; gives a map [b k h w] by field.
            loss: `loss(fields=)` has a loss by field and their weighting, see `src.loss.joint.Joint`.
            fields: the chosen ones of `parts`.
            parts: the task of each field, completed as any task is.
            options: see `Task`.

        Raises:
            ValueError: a field is no part, is named twice, or none is; or the weighting needs what the model lacks.
        """
        _check(fields, parts)
        priced = loss(fields=fields)
        tasks = {field: parts[field](description, _Shared, priced.losses[field], optimizer) for field in fields}
        channels = {field: task.model.out_channels for field, task in tasks.items()}
        seen = min(task.model.in_channels for task in tasks.values())
        net = model(in_channels=seen, out_channels=channels)
        scores = suite.joint({field: task.suites["val"] for field, task in tasks.items()})
        super().__init__(description, net, priced, scores, optimizer, scheduler, **options)
        self.parts, self.in_channels = nn.ModuleDict(tasks), seen
        self.fields = tuple(dict.fromkeys(field for task in tasks.values() for field in task.fields))
        self._common: list[Tensor] = []  # of a training step: what all maps are computed from
        if priced.weighting.compares_gradients:
            self._listen(options.get("compile", False))

    def forward(self, batch: Batch) -> dict[str, Any]:
        """Each field's raw output. The network sees what the field that may see least shows it: of color, lightness."""
        maps: dict[str, Tensor] = {}
        found = {}

        def network(field: str, image: Tensor) -> Tensor:
            if not maps:
                maps.update(self.model(image))
            return maps[field]

        for field, part in sorted(self.parts.items(), key=lambda item: item[1].model.in_channels):
            part.model.network = partial(network, field)
            found[field] = part(batch)
            part.model.network = None
        return {field: found[field] for field in self.parts}

    def losses(self, output: dict[str, Any], batch: Batch) -> dict[str, Tensor]:
        """By field, weighted."""
        found = {field: part.losses(output[field], batch) for field, part in self.parts.items()}
        common, self._common = self._common, []
        return self.loss.weighting({field: sum(terms.values()) for field, terms in found.items()}, common)

    @property
    def apart(self) -> int:
        return len(self.parts)

    def weight(self, batch: Batch) -> Float[Tensor, " fields"]:
        """Of each field by itself: what is known of one may be unknown of another."""
        return torch.stack([part.weight(batch).double() for part in self.parts.values()])

    def answer(self, output: dict[str, Any]) -> dict[str, Any]:
        return {field: part.answer(output[field]) for field, part in self.parts.items()}

    def target(self, batch: Batch) -> dict[str, Any]:
        return {field: part.target(batch) for field, part in self.parts.items()}

    def named_scores(self, values: dict[str, Any]) -> dict[str, float]:
        """The mean of the fields' headlines, of those that are defined, and each field's scores below its name."""
        scores = {field: part.named_scores(values[field]) for field, part in self.parts.items()}
        headlines = [found["score"] for found in scores.values() if not math.isnan(found["score"])]
        below = {
            f"{field}/{name}": value
            for field, found in scores.items()
            for name, value in found.items()
            if name != "score"
        }
        return {"score": fmean(headlines) if headlines else math.nan, **below}

    def panels(self, batch: Batch, answer: dict[str, Any]) -> dict[str, UInt8[Tensor, " b 3 i j"]]:
        """The image, and what each field shows beside it, with its own colours."""
        found = {"image": self.pictured(batch)}
        for field, part in self.parts.items():
            panels = part.panels(batch, answer[field])
            found |= {f"{field}: {title}": panel for title, panel in panels.items() if title != "image"}
        return found

    def figures(self) -> dict[str, Tensor]:
        return {f"weight/{field}": weight for field, weight in self.loss.weighting.weights.items()}

    def _listen(self, compiled: bool) -> None:
        """Keep in each training step what passes through the model's part `shared`."""
        if compiled:
            raise ValueError(
                "loss/weighting=gradient_norm looks at features inside the network, which task.compile=true hides: say "
                "task.compile=false, or loss/weighting=uncertainty"
            )
        if not hasattr(self.model, "shared"):
            raise ValueError(
                f"loss/weighting=gradient_norm needs a model whose part `shared` passes on what all fields are "
                f"computed from, and {type(self.model).__name__} has none: take model=multi_head, or "
                "loss/weighting=uncertainty"
            )

        self.model.shared.register_forward_hook(self._keep)

    def _keep(self, module: nn.Module, given: Any, features: Any) -> None:
        self._common = [part for part in tree_leaves(features) if part.requires_grad]


class _Shared(nn.Module):
    """Stands in a part where its network would: says what the part asks for, and is given the map by `Joint`."""

    def __init__(self, *, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.network: Callable[[Tensor], Tensor] | None = None  # while a batch is on its way

    def forward(self, image: Tensor) -> Tensor:
        assert self.network is not None
        return self.network(image)


def _check(fields: Sequence[str], parts: Mapping[str, Any]) -> None:
    known = ", ".join(parts)
    if not fields or len(set(fields)) < len(fields):
        raise ValueError(f"task.fields={list(fields)}: name one field or more, each once, of {known}")
    for field in fields:
        if field not in parts:
            raise ValueError(f"task.fields names {field}, which is none of task.parts: {known}")
