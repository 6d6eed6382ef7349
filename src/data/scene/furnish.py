"""Solids of random shape, size and material, and where they stand without running into one another."""

from collections.abc import Callable

import numpy as np

from src.data.scene import palette
from src.data.scene.camera import Camera
from src.data.scene.shape import BOX, CONE, CYLINDER, SPHERE, Shape
from src.data.scene.solid import Solid

_LABELS = {BOX: "box", SPHERE: "sphere", CYLINDER: "cylinder", CONE: "cone"}


def furnish(
    rng: np.random.Generator,
    camera: Camera,
    *,
    count: int,
    reach: tuple[float, float],
    scale: tuple[float, float],
    inside: Callable[[np.ndarray, float], bool],
) -> list[Solid]:
    """Up to `count` things on the ground in view, some with another on top.

    `reach` is the range of distances from the camera, `scale` that of sizes in metres, and `inside(spot, radius)`
    says whether a disc on the ground is free of walls.
    """
    solids, discs = [], []
    for _ in range(count):
        solid = _standing(rng, float(np.exp(rng.uniform(*np.log(scale)))))
        radius = _footprint(solid)
        for spot in (_spot(rng, camera, reach) for _ in range(10)):
            if inside(spot, radius) and all(np.hypot(*(spot - other)) > radius + gap for other, gap in discs):
                discs.append((spot, radius))
                solids += _stacked(rng, _moved(solid, np.append(spot, 0)))
                break
    return solids


def upright(
    rng: np.random.Generator, shape: Shape, middle: tuple[float, float, float], size: tuple[float, float, float]
) -> Solid:
    """A solid turned about the vertical at random."""
    turn = _rotation(rng.uniform(0, 2 * np.pi))
    return _solid(rng, shape, np.array(middle), size, turn)


def _standing(rng: np.random.Generator, scale: float) -> Solid:
    """Something that stands on the ground at the world's origin."""
    r, h = scale * rng.uniform(0.5, 1), scale * rng.uniform(0.5, 1.4)
    kind = rng.choice(7, p=(0.22, 0.05, 0.26, 0.15, 0.06, 0.05, 0.21))
    if kind == 0:
        return upright(rng, BOX, (0, 0, h), (r * rng.uniform(0.5, 1.2), r * rng.uniform(0.5, 1.2), h))
    if kind == 1:  # a board on edge
        return upright(rng, BOX, (0, 0, h), (1.5 * r, 0.05 * scale, h))
    if kind == 2:
        return upright(rng, SPHERE, (0, 0, r), (r, r, r))
    if kind == 3:
        return upright(rng, CYLINDER, (0, 0, h), (0.8 * r, 0.8 * r, h))
    if kind == 4:  # a pole
        return upright(rng, CYLINDER, (0, 0, 2 * scale), (0.09 * scale, 0.09 * scale, 2 * scale))
    if kind == 5:  # lying on its side
        turn = _rotation(rng.uniform(0, 2 * np.pi)) @ np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]])
        return _solid(rng, CYLINDER, np.array([0, 0, 0.6 * r]), (0.6 * r, 0.6 * r, h), turn)
    return upright(rng, CONE, (0, 0, 1.2 * h), (r, r, 1.2 * h))


def _stacked(rng: np.random.Generator, below: Solid) -> list[Solid]:
    """A solid, and perhaps a smaller one on its flat top: a tree on a pole, a ball on a box."""
    flat = below.shape is BOX or (below.shape is CYLINDER and below.rotation[2, 2] > 0.9)
    half = float(below.size[:2].min())
    if not flat or rng.random() < 0.4:
        return [below]
    x, y, z = map(float, below.center + np.array([0, 0, below.size[2]]))
    if below.size[2] > 5 * half:
        if below.shape is BOX:
            return [below]
        r = float(below.size[2]) * rng.uniform(0.25, 0.4)
        crown = CONE if rng.random() < 0.5 else SPHERE
        return [below, upright(rng, crown, (x, y, z + r), (r, r, r * (1.5 if crown is CONE else 1)))]
    r = half * rng.uniform(0.5, 0.95)
    shape = (BOX, SPHERE, CYLINDER, CONE)[rng.integers(4)]
    h = r if shape is SPHERE else r * rng.uniform(0.7, 1.6)
    return [below, upright(rng, shape, (x, y, z + h), (0.8 * r if shape is BOX else r, r, h))]


def _spot(rng: np.random.Generator, camera: Camera, reach: tuple[float, float]) -> np.ndarray:
    """A place on the ground in view of the camera."""
    distance = np.exp(rng.uniform(*np.log(reach)))
    angle = np.arctan2(*camera.rotation[2, :2]) + np.arctan(rng.uniform(-0.5, 0.5) / camera.zoom)
    return camera.position[:2] + distance * np.array([np.sin(angle), np.cos(angle)])


def _footprint(solid: Solid) -> float:
    """Radius of the disc on the ground that a standing solid covers."""
    if solid.shape is CYLINDER and solid.size[2] > 5 * solid.size[0]:
        return float(0.4 * solid.size[2])  # room for a crown
    return float(np.hypot(*(np.abs(solid.rotation) @ solid.size)[:2]))


def _moved(solid: Solid, by: np.ndarray) -> Solid:
    center = (solid.center + by).astype(np.float32)
    return Solid(solid.label, solid.shape, center, solid.size, solid.rotation, solid.material)


def _rotation(angle: float) -> np.ndarray:
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])


def _solid(
    rng: np.random.Generator, shape: Shape, center: np.ndarray, size: tuple[float, float, float], rotation: np.ndarray
) -> Solid:
    center, size, rotation = (np.asarray(v, dtype=np.float32) for v in (center, size, rotation))
    return Solid(_LABELS[shape], shape, center, size, rotation, palette.thing(rng))
