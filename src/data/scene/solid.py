"""A shape that stands somewhere in the world, and is one object."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from src.data.scene.material import Material
from src.data.scene.shape import Shape
from src.data.scene.vector import dot, length, times


@dataclass(frozen=True)
class Solid:
    """An object: a shape, stretched, turned and placed."""

    label: str
    shape: Shape
    center: Float32[ndarray, "3"]  # metres, world
    size: Float32[ndarray, "3"]  # metres from the middle to the end, along its own axes; round shapes: x = y
    rotation: Float32[ndarray, "3 3"]  # its own axes -> world
    material: Material

    @property
    def radius(self) -> float:
        """Of the sphere around it, in metres."""
        return float(np.linalg.norm(self.size * self.shape.corner))

    def distance(self, origin: Float32[ndarray, "3"], direction: Float32[ndarray, "3 n"]) -> Float32[ndarray, " n"]:
        """How many `direction`s from `origin` each ray enters it; inf for a miss."""
        # Start beside the object: squares of large distances would cost single precision its last digits.
        near = times((self.center - origin)[None], direction)[0] / dot(direction, direction)
        start = near * direction + (origin - self.center)[:, None]
        inward = self.rotation.T / self.size[:, None]
        along = times(inward, direction)
        along = np.where(np.abs(along) < 1e-12, np.float32(1e-12), along)
        entered = near + self.shape.distance(times(inward, start), along)
        return np.where(entered > 0, entered, np.float32(np.inf))

    def surface(self, point: Float32[ndarray, "3 n"]) -> tuple[Float32[ndarray, "3 n"], Float32[ndarray, "2 n"]]:
        """Outward unit normals and texture coordinates, in metres, at points on it."""
        local = times(self.rotation.T, point - self.center[:, None]) / self.size[:, None]
        normal = self.shape.normal(local)
        outward = times(self.rotation, normal / self.size[:, None])
        return outward / length(outward), self.shape.unwrap(local, normal, self.size)
