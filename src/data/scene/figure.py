"""A body of many limbs that stands somewhere in the world, and is one object."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from src.data.scene.atlas import STRIP, Atlas
from src.data.scene.capsules import Capsules
from src.data.scene.shape import BOX
from src.data.scene.vector import dot


@dataclass(frozen=True)
class Figure:
    """As `Solid`, with named points within it."""

    label: str
    limbs: Capsules
    material: Atlas
    cloth: tuple[int, ...]  # of each limb, the place of its material in the atlas
    keypoints: Float32[ndarray, "k 3"]  # metres, world
    depths: Float32[ndarray, " k"]  # metres from each keypoint to the surface above it

    @cached_property
    def center(self) -> Float32[ndarray, "3"]:
        """The middle of the box around it; metres, world."""
        low, high = self._ends
        return (low + high) / 2

    @cached_property
    def size(self) -> Float32[ndarray, "3"]:
        """Metres from the middle to the end, along the axes of the world."""
        low, high = self._ends
        return (high - low) / 2

    @cached_property
    def radius(self) -> float:
        """Of the sphere around it, in metres."""
        limbs = self.limbs
        return float((np.linalg.norm(limbs.center - self.center, axis=1) + limbs.half + limbs.radius).max())

    @cached_property
    def _ends(self) -> tuple[ndarray, ndarray]:
        reach = np.abs(self.limbs.axis) * self.limbs.half[:, None] + self.limbs.radius[:, None]
        return (self.limbs.center - reach).min(0), (self.limbs.center + reach).max(0)

    def distance(self, origin: Float32[ndarray, "3"], direction: Float32[ndarray, "3 n"]) -> Float32[ndarray, " n"]:
        """How many `direction`s from `origin` each ray enters it; inf for a miss."""
        scale = np.float32(1.01) * self.size[:, None]  # of a box around it, which most rays past a lean body miss
        along = np.where(np.abs(direction) < 1e-9, np.float32(1e-9), direction) / scale
        start = np.broadcast_to((origin - self.center)[:, None] / scale, along.shape)
        rays = np.flatnonzero(np.isfinite(BOX.distance(start, along)))
        found = np.full(direction.shape[1], np.float32(np.inf))
        found[rays] = self.limbs.distance(origin, direction[:, rays])
        return found

    def surface(self, point: Float32[ndarray, "3 n"]) -> tuple[Float32[ndarray, "3 n"], Float32[ndarray, "2 n"]]:
        """Outward unit normals and texture coordinates, in metres, at points on it."""
        limb, normal, along = self.limbs.nearest(point)
        axis = self.limbs.axis
        aside = np.cross(axis, np.eye(3, dtype=np.float32)[np.abs(axis).argmin(1)])
        aside /= np.linalg.norm(aside, axis=1, keepdims=True)
        ahead = np.cross(axis, aside)
        around = np.arctan2(dot(ahead.T[:, limb], normal), dot(aside.T[:, limb], normal)) * self.limbs.radius[limb]
        strip = np.array(self.cloth, np.float32) * np.float32(STRIP)
        return normal, np.stack([around + strip[limb], along])
