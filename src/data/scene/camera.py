"""A pinhole camera in the world."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from src.data.scene.vector import times


@dataclass(frozen=True)
class Camera:
    """Where the picture is taken from; the resolution is chosen when it is taken.

    Pixel (i, j) has its centre at (i + 0.5, j + 0.5), as a picture of any resolution has it; `intrinsics` alone has it
    at (i, j), as the rest of the project.
    """

    position: Float32[ndarray, "3"]  # metres, world
    rotation: Float32[ndarray, "3 3"]  # world -> camera: its rows are the camera's right, down and forward
    zoom: float  # focal length / longer side of the picture

    @classmethod
    def at(cls, position: Float32[ndarray, "3"], yaw: float, pitch: float, roll: float, zoom: float) -> "Camera":
        """A camera turned right by `yaw`, up by `pitch` and clockwise by `roll`, in radians."""
        cosine, sine = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
        level = np.array([cosine[0], -sine[0], 0])
        ahead = np.array([sine[0], cosine[0], 0])
        forward = cosine[1] * ahead + sine[1] * np.array([0, 0, 1])
        down = np.cross(forward, level)
        right = cosine[2] * level + sine[2] * down
        rotation = np.stack([right, np.cross(forward, right), forward])
        return cls(position, rotation.astype(np.float32), float(zoom))

    def focal(self, size: tuple[int, int]) -> float:
        """Focal length in pixels of a picture of `size` (height, width)."""
        return self.zoom * max(size)

    def intrinsics(self, size: tuple[int, int]) -> Float32[ndarray, "3 3"]:
        """The matrix that takes camera coordinates to pixels, see `src.data.camera`."""
        height, width = size
        focal = self.focal(size)
        return np.array([[focal, 0, width / 2 - 0.5], [0, focal, height / 2 - 0.5], [0, 0, 1]], np.float32)

    def rays(self, pixels: Float32[ndarray, "2 n"], size: tuple[int, int]) -> Float32[ndarray, "3 n"]:
        """World directions through `pixels` (x, y), scaled to one metre along the optical axis."""
        height, width = size
        x, y = (pixels - np.array([[width / 2], [height / 2]], np.float32)) / np.float32(self.focal(size))
        return times(self.rotation.T, np.stack([x, y, np.ones_like(x)]))

    def pixels(self, points: Float32[ndarray, "3 n"], size: tuple[int, int]) -> Float32[ndarray, "2 n"]:
        """x and y of `points` of the world in a picture of `size`, in pixels; NaN for those behind the camera."""
        x, y, depth = times(self.rotation, points - self.position[:, None])
        height, width = size
        scale = self.focal(size) / np.where(depth > 0, depth, np.float32(np.nan))
        return np.stack([scale * x + width / 2, scale * y + height / 2])
