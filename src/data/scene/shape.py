"""Where a ray meets a sphere, a box, a cylinder or a cone, each in a frame where it spans [-1, 1] on every axis."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from src.data.scene.vector import dot, length

Vectors = Float32[ndarray, "3 n"]
Values = Float32[ndarray, " n"]
Texture = Float32[ndarray, "2 n"]
Size = Float32[ndarray, "3"]


class Shape(NamedTuple):
    """The geometry of a convex body: rays, normals and texture coordinates."""

    distance: Callable[[Vectors, Vectors], Values]  # origins, directions -> how far the body is entered, inf for a miss
    normal: Callable[[Vectors], Vectors]  # points on the surface -> outward, any length
    unwrap: Callable[[Vectors, Vectors, Size], Texture]  # points, normals, half extents -> coordinates, metres
    corner: tuple[float, float, float]  # the point farthest from the middle


def _box_distance(origin: Vectors, direction: Vectors) -> Values:
    low, high = (-1 - origin) / direction, (1 - origin) / direction
    near, far = np.minimum(low, high).max(0), np.maximum(low, high).min(0)
    return np.where(near < far, near, np.float32(np.inf))


def _box_normal(point: Vectors) -> Vectors:
    axis = np.abs(point).argmax(0)
    return np.where(np.arange(3)[:, None] == axis, np.sign(point), np.float32(0))


def _box_unwrap(point: Vectors, normal: Vectors, size: Size) -> Texture:
    x, y, z = point * size[:, None]
    return np.stack([np.where(normal[0] != 0, y, x), np.where(normal[2] != 0, y, z)])


def _sphere_distance(origin: Vectors, direction: Vectors) -> Values:
    near, _ = _roots(dot(direction, direction), dot(origin, direction), dot(origin, origin) - 1)
    return near


def _cylinder_distance(origin: Vectors, direction: Vectors) -> Values:
    (x, y, z), (u, v, w) = origin, direction
    near, far = _roots(np.maximum(u * u + v * v, 1e-9), x * u + y * v, x * x + y * y - 1)
    bottom, top = (-1 - z) / w, (1 - z) / w
    near, far = np.maximum(near, np.minimum(bottom, top)), np.minimum(far, np.maximum(bottom, top))
    return np.where(near < far, near, np.float32(np.inf))


def _cylinder_normal(point: Vectors) -> Vectors:
    x, y, z = point
    flat = z * z >= x * x + y * y
    return np.stack([np.where(flat, 0, x), np.where(flat, 0, y), np.where(flat, z, 0)])


def _cone_distance(origin: Vectors, direction: Vectors) -> Values:
    """The apex is at z = 1; at height z the radius is (1 - z) / 2."""
    (x, y, z), (u, v, w) = origin, direction
    radius, growth = (1 - z) / 2, -w / 2
    square = u * u + v * v - growth**2
    square = np.where(np.abs(square) < 1e-6, np.float32(1e-6), square)
    sides = _roots(square, x * u + y * v - radius * growth, x * x + y * y - radius**2)
    sides = [np.where(np.abs(z + side * w) <= 1, side, np.float32(np.inf)) for side in sides]
    base = (-1 - z) / w
    base = np.where((x + base * u) ** 2 + (y + base * v) ** 2 <= 1, base, np.float32(np.inf))
    return np.minimum(np.minimum(*sides), base)


def _cone_normal(point: Vectors) -> Vectors:
    x, y, z = point
    flat = z + 1 < np.abs(np.hypot(x, y) - (1 - z) / 2)
    return np.stack([np.where(flat, 0, x), np.where(flat, 0, y), np.where(flat, -1, (1 - z) / 4)])


def _round_unwrap(point: Vectors, normal: Vectors, size: Size) -> Texture:
    """Around the axis on the side, straight from above on a flat end."""
    x, y, z = point * size[:, None]
    flat = np.abs(normal[2]) > 0.999 * length(normal)
    around = np.arctan2(y, x) * size[0]
    return np.stack([np.where(flat, x, around), np.where(flat, y, z)])


def _roots(a: Values, b: Values, c: Values) -> tuple[Values, Values]:
    """Solutions of a t² + 2 b t + c = 0; inf and -inf where there are none."""
    square = b * b - a * c
    root = np.sqrt(np.maximum(square, 0))
    missed = square < 0
    return np.where(missed, np.float32(np.inf), (-b - root) / a), np.where(missed, np.float32(-np.inf), (root - b) / a)


BOX = Shape(_box_distance, _box_normal, _box_unwrap, (1, 1, 1))
SPHERE = Shape(_sphere_distance, lambda point: point, _round_unwrap, (1, 0, 0))
CYLINDER = Shape(_cylinder_distance, _cylinder_normal, _round_unwrap, (1, 0, 1))
CONE = Shape(_cone_distance, _cone_normal, _round_unwrap, (1, 0, 1))
