"""Depth as files: 16-bit PNG with its scale, on request metres as NPY, and a coloured point cloud."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Num, UInt8
from torch import Tensor

from src.data.color import graded
from src.run.inference.cloud import focal, save_cloud
from src.run.inference.field.field import Field
from src.run.inference.picture import shrinking
from src.run.inference.source import Source
from src.run.inference.writing import save_png, whole

_FARTHEST = 65535  # steps of 16 bits; 0 is unknown
_NEAR = 1e-3  # metres, what nearer is painted as


class Depth(Field):
    """Metres, averaged as the network has them: log-depth, or depth itself."""

    channels, colored = 1, True

    @property
    def facts(self) -> dict[str, Any]:
        return {"task.measure": self.task.measure}

    def paths(self, source: Source, folder: Path) -> list[Path]:
        wanted = {self.name: "png"}
        wanted |= {f"{self.name}_npy": "npy"} if self.options["npy"] else {}
        wanted |= {"points": "ply"} if self.options["points"] else {}
        return [folder / kind / f"{source.name}.{suffix}" for kind, suffix in wanted.items()]

    def canvas(self, source: Source, image: Num[Tensor, "c h w"], folder: Path) -> "_Canvas":
        return _Canvas(self, image, self.paths(source, folder))


class _Canvas:
    def __init__(self, field: Depth, image: Tensor, paths: list[Path]) -> None:
        self._field, self._image, self._paths = field, image, paths
        self._metres = np.zeros(tuple(image.shape[-2:]), np.float32)

    def write(self, top: int, values: Float[Tensor, "1 rows w"]) -> None:
        self._metres[top : top + values.shape[1]] = self._field.answer(values[None])[0, 0].cpu().numpy()

    def save(self, stamp: str) -> dict[str, Any]:
        """The range of depths in metres, and how many pixels are too far away for 16 bits of this scale."""
        scale = self._field.options["depth_scale"]
        said = {"scale": scale, "nearest": float(self._metres.min()), "farthest": float(self._metres.max())}
        for path in self._paths:
            if path.suffix == ".png":
                save_png(path, _steps(self._metres, scale), stamp, {"depth_scale": str(scale)})
            elif path.suffix == ".npy":
                whole(path, self._array)
            else:
                save_cloud(path, self._metres, self._image, self._length(), self._field.task.description)
        return said | {"beyond": int(np.count_nonzero(self._metres * scale >= _FARTHEST + 0.5))}

    def _array(self, path: Path) -> None:
        with path.open("wb") as file:  # np.save itself would put its own suffix to the name
            np.save(file, self._metres)

    def _length(self) -> float:
        options = self._field.options
        return focal(options["focal"], options["field_of_view"], self._metres.shape[1])

    def picture(self) -> UInt8[np.ndarray, "i j 3"]:
        """Dark violet is the nearest pixel, over blue and green yellow the farthest; steps are of log-depth."""
        step = shrinking(self._metres.shape)
        near = torch.from_numpy(self._metres[::step, ::step]).clamp_min(_NEAR).log()
        place = (near - near.amin()) / (near.amax() - near.amin()).clamp_min(1e-6)
        return graded(place[None])[0].permute(1, 2, 0).numpy()

    def drop(self) -> None:
        """Nothing is on disk before it is saved."""


def _steps(metres: np.ndarray, scale: float | int) -> np.ndarray:
    """Whole steps in 16 bits; what is known is never 0."""
    steps = np.empty(metres.shape, np.uint16)
    for row, line in zip(steps, metres, strict=True):  # a large image's need not fit into memory twice
        row[:] = np.where(np.isnan(line), 0, (line.astype(np.float64) * scale).round().clip(1, _FARTHEST))
    return steps
