"""Segments as COCO's panoptic PNGs spell them: red + 256 green + 256² blue, 0 for none (Kirillov et al., 2019)."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int32, Integer, UInt8

from src.data import decode
from src.data.description import UNKNOWN

_DIGITS = np.array([1, 256, 256**2], np.int32)


def segments(
    path: Path, listed: Sequence[int], source: Path, max_pixels: int = decode.MAX_PIXELS
) -> Int32[np.ndarray, "h w"]:
    """The number of each pixel's segment.

    Args:
        path: of the PNG.
        listed: the numbers that it holds besides 0.
        source: where they are listed.
        max_pixels: a larger file is refused before it is unpacked.

    Raises:
        ValueError: the file cannot be read, or holds other segments.
    """
    ids = decode.labels(path, colored=True, max_pixels=max_pixels).astype(np.int32) @ _DIGITS
    drawn = set(np.unique(ids).tolist()) - {0}
    if len(set(listed)) < len(listed):
        raise ValueError(f"{source} lists two segments of one id for {path}")
    if strangers := sorted(drawn - set(listed)):
        raise ValueError(f"{path} holds segments {strangers[:5]}, which {source} does not list for it")
    if missing := sorted(set(listed) - drawn):
        raise ValueError(f"{path} lacks segments {missing[:5]}, which {source} lists for it")
    return ids


def spelled(ids: Integer[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """The picture of numbers below 256³."""
    return (ids[..., None] // _DIGITS % 256).astype(np.uint8)


def classes(ids: Integer[np.ndarray, "h w"], meant: Mapping[int, int]) -> UInt8[np.ndarray, "h w"]:
    """The class of each pixel, 255 where its segment is of none.

    Args:
        ids: of the segments.
        meant: class of each segment that has one.
    """
    known, place = np.unique(ids, return_inverse=True)
    return np.array([meant.get(one, UNKNOWN) for one in known.tolist()], np.uint8)[place].reshape(ids.shape)
