"""One field of what networks say of an image: how several answers become one, and the files it is written to."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Num, UInt8
from torch import Tensor

from src.run.inference.source import Source
from src.task.task import Task


@runtime_checkable
class Canvas(Protocol):
    """What is known of one image while its rows come in."""

    def write(self, top: int, values: Float[Tensor, "k rows w"]) -> None:
        """Rows from `top` on; the same rows may come again."""

    def save(self, stamp: str) -> dict[str, Any]:
        """Write the field's files; what is to be said of them."""

    def picture(self) -> UInt8[np.ndarray, "i j 3"]:
        """What a person looks at; a large one is shrunk (`src.run.inference.picture.shrinking`)."""

    def drop(self) -> None:
        """Remove what was not saved."""


class Field(ABC):
    """A task's part in the answer; its values are maps [b k h w] that are averaged over networks, views and tiles."""

    channels: int  # of these maps
    colored = False  # whether its picture is none of its files, so that it is written beside them

    def __init__(self, name: str, task: Task, options: dict[str, Any]) -> None:
        """Take one task.

        Args:
            name: of the field, and of the folder of its files.
            task: that says it.
            options: conf/predict.yaml as plain containers; an evaluation, which writes no files, has none.
        """
        self.name, self.task, self.options = name, task, options

    @property
    def facts(self) -> dict[str, Any]:
        """What several checkpoints must agree in to answer together."""
        return {}

    def values(self, output: Tensor, size: tuple[int, int]) -> Float[Tensor, "b k h w"]:
        """The maps at `size`, of the task's raw output."""
        return output

    def turned(self, values: Float[Tensor, "b k h w"]) -> Float[Tensor, "b k h w"]:
        """The values of a mirrored image as those of the image."""
        return values.flip(-1)

    def mixable(self, values: Float[Tensor, "b k h w"]) -> Float[Tensor, "b k h w"]:
        """What may be averaged."""
        return values.float()

    def unmixed(self, mixed: Float[Tensor, "b k h w"]) -> Float[Tensor, "b k h w"]:
        """Values that `mixable` gives `mixed` for."""
        return mixed

    def answer(self, values: Float[Tensor, "b k h w"]) -> Num[Tensor, "b *k h w"]:
        """In the units of the target."""
        return self.task.answer(values)

    @abstractmethod
    def paths(self, source: Source, folder: Path) -> list[Path]:
        """The files that are written for an image below `folder`."""

    @abstractmethod
    def canvas(self, source: Source, image: Num[Tensor, "c h w"], folder: Path) -> Canvas:
        """Room for an image's values."""
