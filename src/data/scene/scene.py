"""A scene: what stands in it and what lights it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from src.data.scene.light import Light
from src.data.scene.plane import Plane
from src.data.scene.sky import Sky
from src.data.scene.solid import Solid
from src.data.scene.vector import length, times


@dataclass(frozen=True)
class Scene:
    """Planes around the camera, solids among them, a light, and the sky behind all."""

    planes: tuple[Plane, ...]  # the sides of one convex space that holds camera, light and solids
    solids: tuple[Solid, ...]
    light: Light
    sky: Sky
    reach: float  # metres from the world's origin over the ground to where the planes end and the sky begins
    haze: float  # metres after which a third of a colour is left

    @property
    def surfaces(self) -> tuple[Plane | Solid, ...]:
        """Everything that a ray can meet; its place here is its index."""
        return self.planes + self.solids

    def candidates(self, origin: Float32[ndarray, "3"], direction: Float32[ndarray, "3 n"]) -> Bool[ndarray, "k n"]:
        """Which of the k solids each ray may meet, by the sphere around the solid."""
        toward = np.stack([solid.center for solid in self.solids]) - origin
        radius = np.array([[solid.radius] for solid in self.solids], np.float32)
        square = (toward**2).sum(1, keepdims=True) - radius**2  # of the tangents' length
        toward[square[:, 0] <= 0] = 0  # rays that start inside a sphere may all meet its solid
        tangent = np.sqrt(np.maximum(square, 0))
        return times(np.hstack([toward, -tangent]), np.vstack([direction, length(direction)])) >= 0
