"""A furnished room with a lamp."""

import numpy as np

from src.data.scene import palette
from src.data.scene.camera import Camera
from src.data.scene.furnish import furnish
from src.data.scene.light import Light
from src.data.scene.plane import Plane
from src.data.scene.scene import Scene
from src.data.scene.shape import CONE, CYLINDER, SPHERE
from src.data.scene.sky import Sky
from src.data.scene.solid import Solid
from src.data.scene.thing import upright

_DARK = Sky(np.zeros(3, np.float32), np.zeros(3, np.float32), 0.0, 0.0)  # nobody sees it


def room(rng: np.random.Generator) -> tuple[Scene, Camera]:
    """A random room and somebody's view of it from near one wall."""
    width, length, height = rng.uniform((3.5, 4.5, 2.4), (7, 8, 3.2))
    position = np.array([rng.uniform(-0.3, 0.3) * width, rng.uniform(0.25, 0.8), rng.uniform(1, 1.9)], np.float32)
    ahead = np.arctan2(rng.uniform(-0.25, 0.25) * width - position[0], length)
    yaw, pitch, roll = rng.normal((ahead, -0.15, 0), (0.2, 0.09, 0.04))
    camera = Camera.at(position, yaw, pitch, roll, rng.uniform(0.65, 1))

    def inside(spot: np.ndarray, radius: float) -> bool:
        return bool(abs(spot[0]) + radius < width / 2 and radius < spot[1] < length - radius)

    solids = furnish(rng, camera, count=int(rng.integers(5, 11)), reach=(1.8, 7.0), scale=(0.18, 0.7), inside=inside)
    if rng.random() < 0.5 or not solids:
        solids += _lamp(rng, rng.uniform(-0.3, 0.3) * width, rng.uniform(0.5, 0.8) * length, height)
    sides, light = _sides(rng, width, length, height), _light(rng, width, length, height)
    return Scene(sides, tuple(solids), light, _DARK, reach=1e6, haze=1e6), camera


def _sides(rng: np.random.Generator, width: float, length: float, height: float) -> tuple[Plane, ...]:
    walls, other = palette.wall(rng), palette.wall(rng)
    across = other if rng.random() < 0.4 else walls
    sides = (
        ("floor", (0, 0, 1), 0, palette.floor(rng)),
        ("ceiling", (0, 0, -1), -height, palette.ceiling(rng)),
        ("wall", (1, 0, 0), -width / 2, walls),
        ("wall", (-1, 0, 0), -width / 2, walls),
        ("wall", (0, 1, 0), 0, across),
        ("wall", (0, -1, 0), -length, across),
    )
    return tuple(Plane(label, np.array(n, np.float32), float(offset), material) for label, n, offset, material in sides)


def _light(rng: np.random.Generator, width: float, length: float, height: float) -> Light:
    position = np.array([rng.uniform(-0.4, 0.4) * width, rng.uniform(0.1, 0.4) * length, height - 0.15], np.float32)
    warm = np.array([1, rng.uniform(0.85, 1), rng.uniform(0.7, 1)], np.float32)
    soft = warm[::-1] * np.float32(rng.uniform(0.25, 0.4))
    return Light(position, warm * np.float32(rng.uniform(0.9, 1.4)), soft, soft * np.float32(0.8))


def _lamp(rng: np.random.Generator, x: float, y: float, height: float) -> list[Solid]:
    """A shade that hangs from the ceiling on a thin rod."""
    rod, r = rng.uniform(0.15, 0.4), rng.uniform(0.12, 0.28)
    shape = SPHERE if rng.random() < 0.4 else CONE
    return [
        upright(rng, CYLINDER, (x, y, height - rod / 2), (0.015, 0.015, rod / 2)),
        upright(rng, shape, (x, y, height - rod - r), (r, r, r)),
    ]
