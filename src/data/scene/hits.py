"""Casting rays: the record of what each ray met, from which every field of a sample is read."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int
from numpy import ndarray

from src.data.scene.scene import Scene
from src.data.scene.vector import dot, length, times

SKY = -1  # the index of a ray that met nothing


@dataclass(frozen=True)
class Hits:
    """What n rays met; zeros where that is the sky."""

    surface: Int[ndarray, " n"]  # index among `Scene.surfaces`, or SKY
    distance: Float32[ndarray, " n"]  # in lengths of the ray's direction: metres of depth for a camera's rays
    point: Float32[ndarray, "3 n"]  # metres, world
    normal: Float32[ndarray, "3 n"]  # unit, world, towards the ray's origin
    uv: Float32[ndarray, "2 n"]  # metres on the surface

    @classmethod
    def of(cls, scene: Scene, origin: Float32[ndarray, "3"], direction: Float32[ndarray, "3 n"]) -> "Hits":
        """Cast rays from one origin."""
        surface, distance = first(scene, origin, direction)
        point = origin[:, None] + distance * direction
        normal, uv = np.zeros_like(point), np.zeros_like(point[:2])
        for index, rays in groups(surface):
            normal[:, rays], uv[:, rays] = scene.surfaces[index].surface(point[:, rays])
        return cls(surface, distance, point, normal, uv)


def first(
    scene: Scene, origin: Float32[ndarray, "3"], direction: Float32[ndarray, "3 n"]
) -> tuple[Int[ndarray, " n"], Float32[ndarray, " n"]]:
    """The surface that each ray meets and the distance to it, as of `Hits`."""
    distance, surface = _planes(scene, origin, direction)
    for index, rays, entered in _entries(scene, origin, direction):
        closer = entered < distance[rays]
        distance[rays[closer]] = entered[closer]
        surface[rays[closer]] = index
    distance[surface == SKY] = 0
    return surface, distance


def visible(scene: Scene, origin: Float32[ndarray, "3"], point: Float32[ndarray, "3 n"]) -> Bool[ndarray, " n"]:
    """Which points are seen from `origin`, as a lamp there would light them."""
    direction = point - origin[:, None]
    near = 1 - np.float32(0.004) / length(direction)  # a surface does not hide itself: 4 mm
    clear = np.ones(len(near), bool)
    for _, rays, entered in _entries(scene, origin, direction):
        clear[rays[entered < near[rays]]] = False
    return clear


def groups(surface: Int[ndarray, " n"]) -> list[tuple[int, Int[ndarray, " m"]]]:
    """Each surface that was met, with the rays that met it."""
    met = np.flatnonzero(np.bincount(surface - SKY)[-SKY:])
    return [(int(index), np.flatnonzero(surface == index)) for index in met]


def _planes(scene: Scene, origin: ndarray, direction: ndarray) -> tuple[ndarray, ndarray]:
    normals = np.stack([plane.normal for plane in scene.planes])
    height = np.array([[plane.offset] for plane in scene.planes], np.float32) - (normals @ origin)[:, None]
    slope = np.minimum(times(normals, direction), np.float32(-1e-9))  # rays that leave a plane never meet it
    distances = height / slope
    surface = distances.argmin(0)
    distance = distances.min(0)
    over_ground = origin[:2, None] + distance * direction[:2]
    beyond = dot(over_ground, over_ground) > scene.reach**2
    surface[beyond] = SKY
    distance[beyond] = np.inf
    return distance, surface


def _entries(scene: Scene, origin: ndarray, direction: ndarray) -> list[tuple[int, ndarray, ndarray]]:
    """For each solid: its index, the rays that may meet it, and where they do."""
    entries = []
    for index, near in enumerate(scene.candidates(origin, direction)):
        rays = np.flatnonzero(near)
        if len(rays):
            solid = scene.solids[index]
            entries.append((len(scene.planes) + index, rays, solid.distance(origin, direction[:, rays])))
    return entries
