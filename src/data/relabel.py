"""A dataset read into other classes: renamed, merged, dropped, or gathered as the rest."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor
from torchvision import tv_tensors

from src.data.description import UNKNOWN, Description
from src.data.interface import Dataset
from src.data.sample import Instances, Sample

OTHER = "other"  # the class of all that is not listed


class Relabel:
    """The same samples with their masks, and the labels of their objects, in the new classes."""

    def __init__(
        self, dataset: Dataset, label_map: Mapping[str, str | None], other: Literal["class", "unknown"] | None = None
    ) -> None:
        """Work out the new classes.

        Args:
            label_map: {class: new name, or null for unknown}. Classes that get one name become one class, in the color
                of the first, and a thing if all of them are.
            other: what becomes of the classes that are not listed: null leaves them as they are, `class` makes one
                class "other" of them, `unknown` drops them.

        Raises:
            ValueError: a name that is no class, no class left, or masks that overlap.
        """
        before = dataset.describe()
        if before.multilabel:
            raise ValueError("data.label_map is for one class per pixel: where masks overlap, choose by data.classes")
        strangers = [name for name in label_map if name not in before.classes]
        if strangers:
            raise ValueError(f"data.label_map names {strangers}; the classes are {list(before.classes)}")
        rest = {None: lambda name: name, "class": lambda _: OTHER, "unknown": lambda _: None}[other]
        news = [label_map[name] if name in label_map else rest(name) for name in before.classes]
        classes = tuple(dict.fromkeys(str(name) for name in news if name is not None))
        if not classes:
            raise ValueError("data.label_map drops every class")
        index = [UNKNOWN if name is None else classes.index(str(name)) for name in news]
        self._dataset, self._index = dataset, index
        self._description = replace(
            before,
            classes=classes,
            colors=tuple(before.colors[index.index(new)] for new in range(len(classes))),
            things=_things(before, news, classes),
        )

    def describe(self) -> Description:
        """What the dataset says of itself, in the new classes."""
        return self._description

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        sample = self._dataset[index]
        table = torch.full((UNKNOWN + 1,), UNKNOWN, dtype=torch.uint8)
        table[: len(self._index)] = torch.tensor(self._index, dtype=torch.uint8)
        mask = None if sample.mask is None else tv_tensors.Mask(table[sample.mask.as_subclass(Tensor).long()])
        objects = None if sample.instances is None else _renamed(sample.instances, table, self._description.countable)
        return replace(sample, mask=mask, instances=objects)

    def name(self, index: int) -> str:
        return self._dataset.name(index)

    def size(self, index: int) -> tuple[int, int]:
        return self._dataset.size(index)

    def files(self, index: int) -> tuple[str, ...]:
        return self._dataset.files(index)


def _things(before: Description, news: list[str | None], classes: tuple[str, ...]) -> tuple[str, ...] | None:
    if before.things is None:
        return None
    stuff = {str(new) for old, new in zip(before.classes, news, strict=True) if old not in before.things}
    return tuple(name for name in classes if name not in stuff)


def _renamed(objects: Instances, table: Tensor, things: tuple[int, ...]) -> Instances:
    """The objects whose class is still one whose objects can be told apart."""
    labels = table[objects.labels.long()].to(objects.labels.dtype)
    return replace(objects, labels=labels).only(torch.isin(labels, torch.tensor(things, dtype=labels.dtype)))
