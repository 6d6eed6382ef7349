"""Where the keypoints of figures are in a picture, and which of them are seen."""

import numpy as np
from jaxtyping import Float32, Int
from numpy import ndarray

from src.data.scene.camera import Camera
from src.data.scene.hits import first
from src.data.scene.scene import Scene
from src.data.scene.vector import length

_SLANT = 1.5  # a keypoint is seen through so many times the flesh that is above it, and no more


def sight(
    scene: Scene, camera: Camera, figures: Int[ndarray, " m"], size: tuple[int, int]
) -> Float32[ndarray, "m k 3"]:
    """x and y in pixels of a picture of `size`, and COCO's visibility: 2 seen, 1 behind something, 0 outside.

    Args:
        figures: indices of m figures, at least one, among the scene's surfaces.
    """
    bodies = [scene.surfaces[index] for index in figures]
    points = np.concatenate([body.keypoints for body in bodies]).T
    x, y = camera.pixels(points, size)
    inside = (x >= 0) & (x < size[1]) & (y >= 0) & (y < size[0])
    direction = points - camera.position[:, None]
    surface, distance = first(scene, camera.position, direction)
    flesh = (1 - distance) * length(direction)  # metres of it before the keypoint
    own = np.repeat(figures, len(bodies[0].keypoints))
    seen = (surface == own) & (flesh <= _SLANT * np.concatenate([body.depths for body in bodies]))
    found = np.where(inside, np.stack([x, y, 1 + seen]), 0)
    return found.T.reshape(len(bodies), -1, 3).astype(np.float32)
