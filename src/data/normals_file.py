"""Maps of surface normals in files: colours of 8 or 16 bits, where (n + 1) / 2 is from black to white, or float NPY."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from src.data import decode

_OFF = 0.1  # how far the length of a vector may be from 1: 8 bits and JPEG round it


def normals(
    path: Path, signs: Sequence[float | int] = (1, 1, 1), max_pixels: int = decode.MAX_PIXELS
) -> Float[Tensor, "3 h w"]:
    """Unit vectors (x right, y down, z forward), 0 unknown: black, mid-grey, or 0 in floats.

    Args:
        signs: of the file's x, y, z; [1, -1, -1] for maps whose y is up and whose z is towards the camera.
        max_pixels: a larger file is refused before it is unpacked.

    Raises:
        ValueError: the file cannot be read, has other than 3 channels, something not finite, vectors that are not unit,
            most of which look away from the camera, or none at all.
    """
    values = decode.values(path, max_pixels)
    if values.shape[2] != 3:
        raise ValueError(f"{path} has {values.shape[2]} channels: a normal map has 3, x, y and z")
    if values.dtype == np.float32:
        vectors = values
    else:
        vectors = values.astype(np.float32) * np.float32(2 / np.iinfo(values.dtype).max) - 1
        vectors[~values.any(2)] = 0
    if not np.isfinite(vectors).all():
        y, x = (int(place) for place in np.argwhere(~np.isfinite(vectors))[0][:2])
        raise ValueError(f"{path} holds {vectors[y, x]} at (x={x}, y={y}): save (0, 0, 0) where the normal is unknown")
    vectors = vectors * np.asarray(signs, np.float32)
    length = np.linalg.norm(vectors, axis=2, keepdims=True)
    known = length[..., 0] > 0.5
    if fault := _fault(vectors[known], length[known]):
        raise ValueError(f"{path}{fault}")
    unit = np.where(known[..., None], vectors / np.maximum(length, np.float32(0.5)), np.float32(0))
    return torch.from_numpy(np.ascontiguousarray(unit.transpose(2, 0, 1)))


def _fault(vectors: np.ndarray, length: np.ndarray) -> str | None:
    """What is wrong with the vectors [n 3] that are known, as the end of a sentence."""
    if not len(vectors):
        return " knows no normal anywhere: leave out this image, or save its normals anew"
    off = np.mean(np.abs(length - 1) > _OFF)
    if off > 0.05:
        return f": {off:.0%} of its vectors are not of length 1, {length.mean():.2f} on average: is it a normal map?"
    away = np.mean(vectors[:, 2] > 0.01)
    if away > 0.5:
        return (
            f": {away:.0%} of its normals look away from the camera, whose z is forward: if the file's y is up and its "
            "z is towards the camera, say data.normals_signs=[1,-1,-1]"
        )
    return None
