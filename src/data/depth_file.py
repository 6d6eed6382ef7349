"""Depth maps of files, in metres: 16-bit images, float TIFF or NPY, PFM, and EXR where `OpenEXR` is installed."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from src.data import decode

SUFFIXES = (*decode.SUFFIXES, ".pfm", ".exr")


def depth(
    path: Path, scale: float | int, steps: float | int | None = None, max_pixels: int = decode.MAX_PIXELS
) -> Float[Tensor, "1 h w"]:
    """Metres along the optical axis, 0 unknown.

    Args:
        scale: units of the file in a metre, of integers (floats are metres): 1000 for millimetres, KITTI's is 256.
        steps: those of 8 bits in a metre, of which a value v > 0 stands for v + 0.5; None refuses such files.
        max_pixels: a larger file is refused before it is unpacked.

    Raises:
        ValueError: the file cannot be read, holds 8 bits, or something negative or not finite, or nothing but 0.
    """
    values = _values(path, max_pixels)
    if values.dtype == np.uint8 and steps is None:
        raise ValueError(
            f"{path} holds 8 bits, {values.min()} to {values.max()}, and no depth can be told in 256 steps: save it as "
            "a 16-bit PNG (data.depth_scale: units in a metre) or as .npy of floats, in metres"
        )
    wrong = ~(np.isfinite(values) & (values >= 0))
    if wrong.any():
        y, x = (int(place) for place in np.argwhere(wrong)[0])
        raise ValueError(
            f"{path} holds the depth {values[y, x]} at (x={x}, y={y}), one of {np.count_nonzero(wrong)} that are "
            "negative or not finite: save 0 where the depth is unknown"
        )
    if not values.any():
        raise ValueError(f"{path} is 0 everywhere, which is unknown: leave out this image, or save its depth anew")
    if values.dtype == np.uint8:
        metres = np.where(values > 0, (values + np.float32(0.5)) / np.float32(steps), np.float32(0))
    else:
        metres = values.astype(np.float32) / np.float32(1 if values.dtype == np.float32 else scale)
    return torch.from_numpy(metres)[None]


def _values(path: Path, max_pixels: int) -> np.ndarray:
    """[h w] of uint8, uint16 or float32, as they stand in the file."""
    if path.suffix.lower() in (".pfm", ".exr"):
        with decode.naming(path):
            return _pfm(path) if path.suffix.lower() == ".pfm" else _exr(path)
    return decode.values(path, max_pixels)[..., 0]


def _pfm(path: Path) -> Float32[np.ndarray, "h w"]:
    """Three lines of text and then floats, the lowest row first; a negative scale says that they are little-endian."""
    kind, size, scale, data = path.read_bytes().split(b"\n", 3)
    if kind.strip() != b"Pf":
        raise ValueError(f"it begins with {kind[:8]!r}: a depth map in PFM has one channel and begins with Pf")
    width, height = (int(number) for number in size.split())
    rows = np.frombuffer(data, "<f4" if float(scale) < 0 else ">f4", height * width).reshape(height, width)
    return rows[::-1].astype(np.float32)


def _exr(path: Path) -> Float32[np.ndarray, "h w"]:
    """The channel Z, or the only one."""
    try:
        import OpenEXR  # here, because few need it
    except ImportError as error:
        raise ValueError("EXR needs `pip install OpenEXR`; or save the depth as .npy, in metres") from error
    channels = OpenEXR.File(str(path), separate_channels=True).channels()
    chosen = "Z" if "Z" in channels else next(iter(channels))
    if len(channels) > 1 and chosen != "Z":
        raise ValueError(f"it has the channels {sorted(channels)} and none is Z: save the depth alone")
    return channels[chosen].pixels.astype(np.float32)
