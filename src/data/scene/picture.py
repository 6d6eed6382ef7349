"""Taking the picture: antialiased where it changes fast (Whitted, 1980), with exposure and noise of a sensor."""

import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from src.data.scene.camera import Camera
from src.data.scene.hits import Hits
from src.data.scene.scene import Scene
from src.data.scene.shade import Shade

_CORNERS = np.array([[-1, 3, 1, -3], [-3, -1, 3, 1]], np.float32) / 8  # a rotated grid of four within a pixel
_STEP = 0.1  # of a displayed value in [0, 1] from one pixel to the next: more is worth four more rays


def centers(size: tuple[int, int]) -> Float32[ndarray, "2 n"]:
    """x and y of each pixel's centre, row by row."""
    y, x = np.indices(size, np.float32)
    return np.stack([x.ravel(), y.ravel()]) + np.float32(0.5)


def picture(
    rng: np.random.Generator, scene: Scene, camera: Camera, hits: Hits, shade: Shade, size: tuple[int, int]
) -> UInt8[ndarray, "3 h w"]:
    """The sRGB image of a scene whose pixels' centres met `hits`, where light is made of `shade`."""
    exposure = np.float32(np.exp(rng.normal(0.45, 0.15)))
    tint = exposure * rng.normal(1, 0.03, (3, 1)).astype(np.float32)
    pixels = centers(size)
    color = _toned(tint, shade.radiance(scene, hits, camera.rays(pixels, size)))
    rough = _rough(color.reshape(3, *size))
    finer = (pixels[:, rough, None] + _CORNERS[:, None, :]).reshape(2, -1)
    color[:, rough] = _toned(tint, _radiance(scene, camera, finer, size)).reshape(3, -1, 4).mean(2)
    grain = rng.standard_normal(color.shape, np.float32) * np.float32(rng.uniform(0.004, 0.014))
    return (255 * np.clip(color + grain, 0, 1) + np.float32(0.5)).astype(np.uint8).reshape(3, *size)


def _radiance(scene: Scene, camera: Camera, pixels: ndarray, size: tuple[int, int]) -> ndarray:
    direction = camera.rays(pixels, size)
    hits = Hits.of(scene, camera.position, direction)
    return Shade.of(scene, hits, direction, 1 / camera.focal(size)).radiance(scene, hits, direction)


def _toned(tint: ndarray, linear: ndarray) -> ndarray:
    return np.sqrt(1 - np.exp(-tint * linear))  # a soft shoulder, then a gamma of 2


def _rough(color: ndarray) -> ndarray:
    """Indices of pixels that differ from a neighbour."""
    down = (np.abs(np.diff(color, axis=1)) > _STEP).any(0)
    right = (np.abs(np.diff(color, axis=2)) > _STEP).any(0)
    rough = np.zeros(color.shape[1:], bool)
    rough[1:] |= down
    rough[:-1] |= down
    rough[:, 1:] |= right
    rough[:, :-1] |= right
    return np.flatnonzero(rough)
