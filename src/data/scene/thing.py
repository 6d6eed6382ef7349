"""Objects of random shape, size and material."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from src.data.scene import palette
from src.data.scene.shape import BOX, CONE, CYLINDER, SPHERE, Shape
from src.data.scene.solid import Solid

_LABELS = {BOX: "box", SPHERE: "sphere", CYLINDER: "cylinder", CONE: "cone"}
_POLE = 0.1  # radius / half height below which a cylinder is a pole


def upright(
    rng: np.random.Generator, shape: Shape, center: Sequence[float | int], size: Sequence[float | int]
) -> Solid:
    """A solid of half its extent `size`, in metres, turned about the vertical at random."""
    return _solid(rng, shape, center, size, np.eye(3))


def standing(rng: np.random.Generator, scale: float) -> Solid:
    """Something about 2 `scale` metres large that stands on the ground at the world's origin."""
    kinds = (_block, _board, _ball, _barrel, _pole, _log, _cone)
    kind = kinds[rng.choice(len(kinds), p=(0.22, 0.05, 0.26, 0.15, 0.06, 0.05, 0.21))]
    return kind(rng, scale * rng.uniform(0.5, 1), scale * rng.uniform(0.5, 1.4))


def moved(solid: Solid, spot: np.ndarray) -> Solid:
    """The same solid at another place on the ground."""
    return replace(solid, center=solid.center + np.append(spot, 0).astype(np.float32))


def footprint(solid: Solid) -> float:
    """Radius in metres of the disc on the ground that a solid, and what may stand on it, covers."""
    if _is_pole(solid):
        return float(0.4 * solid.size[2])
    return float(np.hypot(*(np.abs(solid.rotation) @ solid.size)[:2]))


def on_top(rng: np.random.Generator, below: Solid) -> list[Solid]:
    """Perhaps something smaller on a flat top: a ball on a box, a crown on a pole."""
    level = below.shape in (BOX, CYLINDER) and below.rotation[2, 2] > 0.9
    half = float(below.size[:2].min())
    if not level or rng.random() < 0.4 or (below.shape is BOX and below.size[2] > 5 * half):
        return []
    shape = (BOX, SPHERE, CYLINDER, CONE)[rng.integers(4)]
    r, h = half * rng.uniform(0.5, 0.95), half * rng.uniform(0.5, 1.3)
    if _is_pole(below):
        shape = CONE if rng.random() < 0.5 else SPHERE
        r = float(below.size[2]) * rng.uniform(0.25, 0.4)
        h = 1.5 * r
    if shape is SPHERE:
        h = r
    elif shape is BOX:
        r = 0.7 * r  # its corners reach farther than its sides
    x, y, z = below.center + np.array([0, 0, below.size[2] + h])
    return [upright(rng, shape, (x, y, z), (r, r, h))]


def _block(rng: np.random.Generator, r: float, h: float) -> Solid:
    return upright(rng, BOX, (0, 0, h), (r * rng.uniform(0.5, 1.2), r * rng.uniform(0.5, 1.2), h))


def _board(rng: np.random.Generator, r: float, h: float) -> Solid:
    return upright(rng, BOX, (0, 0, h), (1.5 * r, 0.07 * r, h))


def _ball(rng: np.random.Generator, r: float, h: float) -> Solid:
    return upright(rng, SPHERE, (0, 0, r), (r, r, r))


def _barrel(rng: np.random.Generator, r: float, h: float) -> Solid:
    return upright(rng, CYLINDER, (0, 0, h), (0.8 * r, 0.8 * r, h))


def _pole(rng: np.random.Generator, r: float, h: float) -> Solid:
    return upright(rng, CYLINDER, (0, 0, 2.5 * r), (0.12 * r, 0.12 * r, 2.5 * r))


def _log(rng: np.random.Generator, r: float, h: float) -> Solid:
    fallen = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    return _solid(rng, CYLINDER, (0, 0, 0.6 * r), (0.6 * r, 0.6 * r, h), fallen)


def _cone(rng: np.random.Generator, r: float, h: float) -> Solid:
    return upright(rng, CONE, (0, 0, 1.2 * h), (r, r, 1.2 * h))


def _is_pole(solid: Solid) -> bool:
    return solid.shape is CYLINDER and float(solid.size[0]) < _POLE * float(solid.size[2])


def _solid(
    rng: np.random.Generator,
    shape: Shape,
    center: Sequence[float | int],
    size: Sequence[float | int],
    posture: np.ndarray,
) -> Solid:
    cosine, sine = np.cos(angle := rng.uniform(0, 2 * np.pi)), np.sin(angle)
    rotation = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]) @ posture
    center, size, rotation = (np.asarray(value, dtype=np.float32) for value in (center, size, rotation))
    return Solid(_LABELS[shape], shape, center, size, rotation, palette.thing(rng))
