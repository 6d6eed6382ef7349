"""Where things stand: in view, and without running into one another."""

from collections.abc import Callable

import numpy as np

from src.data.scene.camera import Camera
from src.data.scene.solid import Solid
from src.data.scene.thing import footprint, moved, on_top, standing

_TRIES = 10  # places that are tried for a thing before it is left out


def furnish(
    rng: np.random.Generator,
    camera: Camera,
    *,
    count: int,
    reach: tuple[float, float],
    scale: tuple[float, float],
    inside: Callable[[np.ndarray, float], bool],
) -> list[Solid]:
    """Up to `count` things on the ground in view of the camera, some with another on top.

    Args:
        reach: nearest and farthest distance from the camera, metres.
        scale: smallest and largest half extent, metres.
        inside: whether the disc around a spot [2] with a radius in metres is free of walls.
    """
    solids: list[Solid] = []
    discs: list[tuple[np.ndarray, float]] = []
    for _ in range(count):
        thing = standing(rng, _between(rng, scale))
        radius = footprint(thing)
        for spot in (in_view(rng, camera, reach) for _ in range(_TRIES)):
            if inside(spot, radius) and all(np.hypot(*(spot - other)) > radius + gap for other, gap in discs):
                discs.append((spot, radius))
                thing = moved(thing, spot)
                solids += [thing, *on_top(rng, thing)]
                break
    return solids


def in_view(rng: np.random.Generator, camera: Camera, reach: tuple[float, float]) -> np.ndarray:
    """A place on the ground [2], as far from the camera as `reach` says, and within its picture from left to right."""
    distance = _between(rng, reach)
    angle = np.arctan2(*camera.rotation[2, :2]) + np.arctan(rng.uniform(-0.5, 0.5) / camera.zoom)
    return camera.position[:2] + distance * np.array([np.sin(angle), np.cos(angle)])


def _between(rng: np.random.Generator, ends: tuple[float, float]) -> float:
    """Evenly over the logarithm: small and near as often as large and far."""
    return float(np.exp(rng.uniform(*np.log(ends))))
