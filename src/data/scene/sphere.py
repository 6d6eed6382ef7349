"""Spheres around things: who misses one misses what is in it."""

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from src.data.scene.vector import length, times


def met(
    center: Float32[ndarray, "k 3"],
    radius: Float32[ndarray, " k"],
    origin: Float32[ndarray, "3"],
    direction: Float32[ndarray, "3 n"],
) -> Bool[ndarray, "k n"]:
    """Which of k spheres each ray from `origin` meets, the length of its direction being of no account."""
    toward = center - origin
    square = (toward**2).sum(1, keepdims=True) - radius[:, None] ** 2  # of the tangents' length
    toward[square[:, 0] <= 0] = 0  # rays that start inside a sphere may all meet what is in it
    tangent = np.sqrt(np.maximum(square, 0))
    return times(np.hstack([toward, -tangent]), np.vstack([direction, length(direction)])) >= 0
