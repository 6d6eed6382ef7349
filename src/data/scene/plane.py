"""An unbounded flat surface: what a room or an open ground is made of."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from src.data.scene.material import Material


@dataclass(frozen=True)
class Plane:
    """All points with normal · point = offset; the world is on the side that the normal points to."""

    label: str
    normal: Float32[ndarray, "3"]  # along one axis of the world
    offset: float  # metres
    material: Material

    def surface(self, point: Float32[ndarray, "3 n"]) -> tuple[Float32[ndarray, "3 n"], Float32[ndarray, "2 n"]]:
        """Unit normals and texture coordinates, in metres, at points on it."""
        x, y, z = point
        level = self.normal[2] != 0
        across = x if level or self.normal[1] != 0 else y
        return np.broadcast_to(self.normal[:, None], point.shape), np.stack([across, y if level else z])
