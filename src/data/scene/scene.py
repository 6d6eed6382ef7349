"""A scene: what stands in it and what lights it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from src.data.scene.figure import Figure
from src.data.scene.light import Light
from src.data.scene.plane import Plane
from src.data.scene.sky import Sky
from src.data.scene.solid import Solid
from src.data.scene.sphere import met


@dataclass(frozen=True)
class Scene:
    """Planes around the camera, solids among them, a light, and the sky behind all."""

    planes: tuple[Plane, ...]  # the sides of one convex space that holds camera, light and solids
    solids: tuple[Solid | Figure, ...]
    light: Light
    sky: Sky
    reach: float  # metres from the world's origin over the ground to where the planes end and the sky begins
    haze: float  # metres after which a third of a colour is left

    @property
    def surfaces(self) -> tuple[Plane | Solid | Figure, ...]:
        """Everything that a ray can meet; its place here is its index."""
        return self.planes + self.solids

    def candidates(self, origin: Float32[ndarray, "3"], direction: Float32[ndarray, "3 n"]) -> Bool[ndarray, "k n"]:
        """Which of the k solids each ray may meet, by the sphere around the solid."""
        center = np.stack([solid.center for solid in self.solids])
        return met(center, np.array([solid.radius for solid in self.solids], np.float32), origin, direction)
