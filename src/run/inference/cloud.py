"""Depth as a coloured point cloud: binary PLY, in the camera's frame (x right, y down, z forward), metres."""

import math
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Num
from torch import Tensor

from src.data.description import Description
from src.run.inference.picture import shown
from src.run.inference.writing import whole

_POINT = np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3)])
_ROWS = 256  # at a time


def focal(pixels: float | int | None, field_of_view: float | int | None, width: int) -> float:
    """The focal length in pixels, said by itself or by the degrees that the width of the image spans."""
    return float(pixels or width / 2 / math.tan(math.radians(field_of_view) / 2))


def save_cloud(
    path: Path, metres: Float32[np.ndarray, "h w"], image: Num[Tensor, "c h w"], focal: float, description: Description
) -> None:
    """Write a point for each pixel whose depth is above 0 and finite, row by row, in the image's colour.

    Args:
        metres: along the optical axis, which goes through the middle of the image.
        focal: length in pixels.
        description: of the image.
    """
    count = int(np.count_nonzero(np.isfinite(metres) & (metres > 0)))
    lines = ["ply", "format binary_little_endian 1.0", "comment metres; x right, y down, z forward"]
    lines += [f"element vertex {count}", *(f"property float {axis}" for axis in "xyz")]
    lines += [*(f"property uchar {color}" for color in ("red", "green", "blue")), "end_header", ""]

    def write(part: Path) -> None:
        with part.open("wb") as file:
            file.write("\n".join(lines).encode())
            for top in range(0, len(metres), _ROWS):
                colors = shown(image[:, top : top + _ROWS], 1, description)
                file.write(_points(metres[top : top + _ROWS], colors, focal, top, len(metres)).tobytes())

    whole(path, write)


def _points(metres: np.ndarray, colors: np.ndarray, focal: float, top: int, height: int) -> np.ndarray:
    """Those of rows from `top` on; a pixel's centre has whole coordinates, the first (0, 0)."""
    known = np.isfinite(metres) & (metres > 0)
    rows, columns = known.nonzero()
    points, z = np.empty(len(rows), _POINT), metres[known]
    points["xyz"][:, 0] = (columns - (metres.shape[1] - 1) / 2) / focal * z
    points["xyz"][:, 1] = (rows + top - (height - 1) / 2) / focal * z
    points["xyz"][:, 2] = z
    points["rgb"] = colors[known].round()
    return points
