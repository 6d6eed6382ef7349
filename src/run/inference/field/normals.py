"""Surface normals as files: colours of 8 bits, as `src.data.normals_file` reads them, and on request floats as NPY."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Num, UInt8
from torch import Tensor
from torch.nn import functional as F

from src.run.inference.array import Array
from src.run.inference.field.field import Field
from src.run.inference.picture import shrinking
from src.run.inference.source import Source
from src.run.inference.writing import save_png


class Normals(Field):
    """Directions; their mean is that of unit vectors."""

    channels = 3

    def values(self, output: Tensor, size: tuple[int, int]) -> Float[Tensor, "b 3 h w"]:
        """The vectors, without what a loss may want beside them."""
        return output[:, :3]

    def turned(self, values: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        """What faces right in a mirror faces left."""
        return values.flip(-1) * values.new_tensor([-1.0, 1.0, 1.0]).view(3, 1, 1)

    def mixable(self, values: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
        return F.normalize(values.float(), dim=1)

    def paths(self, source: Source, folder: Path) -> list[Path]:
        wanted = {self.name: "png"} | ({f"{self.name}_npy": "npy"} if self.options["npy"] else {})
        return [folder / kind / f"{source.name}.{suffix}" for kind, suffix in wanted.items()]

    def canvas(self, source: Source, image: Num[Tensor, "c h w"], folder: Path) -> "_Canvas":
        return _Canvas(self, tuple(image.shape[-2:]), self.paths(source, folder))


class _Canvas:
    def __init__(self, field: Normals, size: tuple[int, int], paths: list[Path]) -> None:
        self._field, self._path = field, paths[0]
        self._colors = np.zeros((*size, 3), np.uint8)
        self._array = Array(paths[1], (*size, 3)) if len(paths) > 1 else None

    def write(self, top: int, values: Float[Tensor, "3 rows w"]) -> None:
        unit = self._field.answer(values[None])[0].permute(1, 2, 0)
        colors = ((unit + 1) * 127.5).round().byte().masked_fill((unit == 0).all(-1, keepdim=True), 0)
        self._colors[top : top + values.shape[1]] = colors.cpu().numpy()
        if self._array is not None:
            self._array.write(top, unit.cpu().numpy())

    def save(self, stamp: str) -> dict[str, Any]:
        if self._array is not None:
            self._array.finish()
        save_png(self._path, self._colors, stamp)
        return {}

    def picture(self) -> UInt8[np.ndarray, "i j 3"]:
        """As most people paint them: red to the right, green up, blue towards the viewer."""
        step = shrinking(self._colors.shape[:2])
        colors = self._colors[::step, ::step].copy()
        colors[..., 1:] = 255 - colors[..., 1:]
        return colors

    def drop(self) -> None:
        if self._array is not None:
            self._array.drop()
