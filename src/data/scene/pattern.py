"""Textures: each maps coordinates [2 n] to a blend in [0, 1] of two colours; one pattern is about one unit wide."""

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

Coordinates = Float32[ndarray, "2 n"]
Blend = Float32[ndarray, " n"]

_TABLE = np.random.default_rng(0).random((256, 256), np.float32)  # one random value per cell of a lattice


def plain(uv: Coordinates) -> Blend:
    """The first colour alone."""
    return np.zeros_like(uv[0])


def checker(uv: Coordinates) -> Blend:
    """Squares in turn."""
    return (np.floor(uv).sum(0) % 2).astype(np.float32)


def stripes(uv: Coordinates) -> Blend:
    """Bands across u."""
    return (uv[0] % 1 < 0.45).astype(np.float32)


def dots(uv: Coordinates) -> Blend:
    """A disc in the middle of each cell."""
    return (((uv % 1 - 0.5) ** 2).sum(0) < 0.08).astype(np.float32)


def tiles(uv: Coordinates) -> Blend:
    """Square tiles of uneven tone with joints between them."""
    return _laid(uv, 0.04)


def bricks(uv: Coordinates) -> Blend:
    """Rows of bricks, each row moved by half a brick."""
    v = uv[1] * 2.5
    return _laid(np.stack([uv[0] + 0.5 * (np.floor(v) % 2), v]), 0.08)


def planks(uv: Coordinates) -> Blend:
    """Long boards whose ends stand anywhere."""
    v = uv[1] * 3
    return _laid(np.stack([uv[0] / 2 + _cells(np.zeros_like(v), np.floor(v)), v]), 0.03)


def noise(uv: Coordinates) -> Blend:
    """Smooth random blotches in two octaves (value noise)."""
    return np.float32(0.65) * _smooth(uv * 2) + np.float32(0.35) * _smooth(uv * 5)


PATTERNS = (plain, noise, checker, stripes, dots, bricks, tiles, planks)


def _laid(uv: Coordinates, joint: float) -> Blend:
    cell = np.floor(uv)
    inside = uv - cell
    gap = (inside[0] < joint) | (inside[1] < 2 * joint)
    return np.where(gap, np.float32(1), 0.45 * _cells(*cell))


def _cells(i: Blend, j: Blend) -> Blend:
    return _TABLE[i.astype(np.int32) & 255, j.astype(np.int32) & 255]


def _smooth(uv: Coordinates) -> Blend:
    cell = np.floor(uv)
    x, y = uv - cell
    x, y = x * x * (3 - 2 * x), y * y * (3 - 2 * y)
    i, j = cell.astype(np.int32) & 255
    k, m = (i + 1) & 255, (j + 1) & 255
    top = _TABLE[i, j] * (1 - x) + _TABLE[k, j] * x
    return top * (1 - y) + (_TABLE[i, m] * (1 - x) + _TABLE[k, m] * x) * y
