"""Any float field as files: its numbers as NPY; its picture is written beside them."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Num, UInt8
from torch import Tensor

from src.data.color import lit
from src.data.field import VALUES
from src.run.inference.array import Array
from src.run.inference.field.field import Field
from src.run.inference.picture import shrinking
from src.run.inference.source import Source


class Quantity(Field):
    """Numbers in the field's own unit."""

    colored = True

    @property
    def channels(self) -> int:
        return VALUES[self.task.field]

    @property
    def facts(self) -> dict[str, Any]:
        return {"task.field": self.task.field}

    def paths(self, source: Source, folder: Path) -> list[Path]:
        return [folder / self.name / f"{source.name}.npy"]

    def canvas(self, source: Source, image: Num[Tensor, "c h w"], folder: Path) -> "_Canvas":
        return _Canvas(self, tuple(image.shape[-2:]), self.paths(source, folder)[0])


class _Canvas:
    """Numbers go to disk at once; those of the picture are kept."""

    def __init__(self, field: Quantity, size: tuple[int, int], path: Path) -> None:
        self._field, self._step = field, shrinking(size)
        self._array = Array(path, (*size, field.channels))
        rows, columns = (-(-side // self._step) for side in size)
        self._small = torch.zeros(field.channels, rows, columns)

    def write(self, top: int, values: Float[Tensor, "k rows w"]) -> None:
        numbers = self._field.answer(values[None])[0].cpu()
        self._array.write(top, numbers.permute(1, 2, 0).numpy())
        first = -top % self._step
        rows = numbers[:, first :: self._step, :: self._step]
        start = (top + first) // self._step
        self._small[:, start : start + rows.shape[1]] = rows

    def save(self, stamp: str) -> dict[str, Any]:
        """The range of the picture."""
        self._array.finish()
        return {"lowest": float(self._small.min()), "highest": float(self._small.max())}

    def picture(self) -> UInt8[np.ndarray, "i j 3"]:
        """Three channels as red, green and blue light, one from dark violet over blue and green to yellow.

        From 0, or the lowest value where that is below it, to the highest.
        """
        low, high = self._small.amin().clamp_max(0), self._small.amax()
        place = (self._small - low) / (high - low).clamp_min(1e-6)
        return lit(place[None])[0].permute(1, 2, 0).numpy()

    def drop(self) -> None:
        self._array.drop()
