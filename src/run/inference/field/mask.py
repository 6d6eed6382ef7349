"""Classes beside other fields: a palette PNG of class indices."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Num, UInt8
from torch import Tensor

from src.data.color import flattened, palette
from src.run.inference.field.field import Field
from src.run.inference.picture import shrinking
from src.run.inference.source import Source
from src.run.inference.writing import save_mask


class Mask(Field):
    """Logits, averaged as probabilities."""

    @property
    def channels(self) -> int:
        return self.task.description.num_classes

    @property
    def facts(self) -> dict[str, Any]:
        description = self.task.description
        return {"classes": description.classes, "multilabel": description.multilabel}

    def mixable(self, values: Float[Tensor, "b k h w"]) -> Float[Tensor, "b k h w"]:
        return values.float().sigmoid() if self.task.description.multilabel else values.float().softmax(1)

    def unmixed(self, mixed: Float[Tensor, "b k h w"]) -> Float[Tensor, "b k h w"]:
        if self.task.description.multilabel:
            return mixed.logit()
        return mixed.clamp_min(torch.finfo(mixed.dtype).tiny).log()

    def paths(self, source: Source, folder: Path) -> list[Path]:
        return [folder / self.name / f"{source.name}.png"]

    def canvas(self, source: Source, image: Num[Tensor, "c h w"], folder: Path) -> "_Canvas":
        return _Canvas(self, tuple(image.shape[-2:]), self.paths(source, folder)[0])


class _Canvas:
    def __init__(self, field: Mask, size: tuple[int, int], path: Path) -> None:
        self._field, self._path = field, path
        self._description = field.task.description
        self._mask = np.zeros(size, np.uint8)

    def write(self, top: int, values: Float[Tensor, "k rows w"]) -> None:
        answer = self._field.answer(values[None])[0]
        answer = flattened(answer) if self._description.multilabel else answer
        self._mask[top : top + values.shape[1]] = answer.to(torch.uint8).cpu().numpy()

    def save(self, stamp: str) -> dict[str, Any]:
        save_mask(self._path, self._mask, self._description.colors, stamp)
        return {}

    def picture(self) -> UInt8[np.ndarray, "i j 3"]:
        """In the classes' colours."""
        step = shrinking(self._mask.shape)
        return np.array(palette(self._description.colors), np.uint8).reshape(256, 3)[self._mask[::step, ::step]]

    def drop(self) -> None:
        """Nothing is on disk before it is saved."""
