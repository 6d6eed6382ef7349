"""Several materials on one surface."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int
from numpy import ndarray

from src.data.scene.material import Material

STRIP = 16.0  # metres of texture coordinates along u that each material has to itself, half of them on either side of 0


@dataclass(frozen=True)
class Atlas:
    """What looks like a material, and is another one in each strip of its texture coordinates."""

    materials: tuple[Material, ...]
    gloss: float = 0.0  # weight of the highlight

    def albedo(self, uv: Float32[ndarray, "2 n"], footprint: Float32[ndarray, " n"]) -> Float32[ndarray, "3 n"]:
        """As of `Material`."""
        strip = _strip(uv)
        color = np.zeros((3, len(footprint)), np.float32)
        for index, material in enumerate(self.materials):
            here = np.flatnonzero(strip == index)
            if len(here):
                own = np.stack([uv[0, here] - np.float32(index * STRIP), uv[1, here]])
                color[:, here] = material.albedo(own, footprint[here])
        return color

    def kind(self, uv: Float32[ndarray, "2 n"]) -> Int[ndarray, " n"]:
        """As of `Material`."""
        return np.concatenate([material.kind(uv[:, :1]) for material in self.materials])[_strip(uv)]


def _strip(uv: Float32[ndarray, "2 n"]) -> Int[ndarray, " n"]:
    return np.round(uv[0] / STRIP).astype(np.int64)
