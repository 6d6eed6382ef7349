"""Things on an open ground under the sky."""

import numpy as np

from src.data.scene import palette
from src.data.scene.camera import Camera
from src.data.scene.furnish import furnish
from src.data.scene.light import Light
from src.data.scene.plane import Plane
from src.data.scene.scene import Scene
from src.data.scene.sky import Sky

_REACH = 40.0  # metres to where the ground ends: about where a plain's horizon is drawn, and the largest depth


def field(rng: np.random.Generator) -> tuple[Scene, Camera]:
    """A random open ground and somebody's view over it."""
    position = np.array([0, 0, np.exp(rng.uniform(*np.log((1.2, 3.5))))], np.float32)
    yaw, pitch, roll = rng.normal((0, -0.08, 0), (0.5, 0.08, 0.04))
    camera = Camera.at(position, yaw, pitch, roll, rng.uniform(0.7, 1.1))
    count = int(rng.integers(7, 15))
    solids = furnish(rng, camera, count=count, reach=(3.0, 18.0), scale=(0.3, 1.4), inside=lambda spot, radius: True)
    ground = Plane("ground", np.array([0, 0, 1], np.float32), 0.0, palette.ground(rng))
    sky = _sky(rng)
    return Scene((ground,), tuple(solids), _sun(rng, yaw, sky), sky, _REACH, float(rng.uniform(60, 300))), camera


def _sky(rng: np.random.Generator) -> Sky:
    zenith = palette.linear(rng.choice(("1f5fb8", "3f86d0", "6f86a8", "3f4f94")))
    horizon = palette.linear(rng.choice(("dfe8ee", "f0d9bf", "c9d6df", "e8dcc8")))
    return Sky(horizon, zenith, float(rng.uniform(0, 0.7)), float(rng.uniform(0, 200)))


def _sun(rng: np.random.Generator, yaw: float, sky: Sky) -> Light:
    """Mostly behind or beside the camera, so that what is seen is lit."""
    around, height = yaw + np.pi + rng.uniform(-1.9, 1.9), rng.uniform(0.45, 1.1)
    toward = [np.sin(around) * np.cos(height), np.cos(around) * np.cos(height), np.sin(height)]
    warm = np.array([1, 0.93, 0.8], np.float32) * np.float32(rng.uniform(0.9, 1.6))
    above = (sky.zenith + sky.horizon) * np.float32(0.25)
    return Light(np.array(toward, np.float32) * 300, warm, above, above * np.float32(0.6))
