"""Intrinsics of a pinhole camera: (x, y, z) in its frame, metres, is seen at (x, y) / z times the matrix, in pixels.

A pixel's centre has whole coordinates, the first (0, 0), as in OpenCV and in what it calibrates.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def pinhole(fx: float | int, fy: float | int, cx: float | int, cy: float | int) -> Float[Tensor, "3 3"]:
    """The matrix of focal lengths and principal point, in pixels."""
    return torch.tensor([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], dtype=torch.float32)


def scaled(camera: Float[Tensor, "3 3"], old: Sequence[int], new: Sequence[int]) -> Float[Tensor, "3 3"]:
    """The same camera after its picture was resized from `old` to `new` (height, width)."""
    y, x = new[0] / old[0], new[1] / old[1]
    # A pixel's centre has whole coordinates, so that the image begins at -0.5.
    return camera.new_tensor([[x, 0, x / 2 - 0.5], [0, y, y / 2 - 0.5], [0, 0, 1]]) @ camera
