"""COCO's three ways to write a region: polygons, run lengths, and run lengths as text (Lin et al., 2014)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

_FAR = 2**20  # pixels from the image's corner: no outline goes there, and walking one would never end
_FINE = 5  # an outline is walked on a grid so many times as fine as the pixels


def region(segmentation: Any, size: tuple[int, int]) -> Bool[np.ndarray, " h w"]:
    """The pixels of an annotation's `segmentation`, the same ones that COCO's own tools count.

    Args:
        segmentation: a list of polygons [x0, y0, x1, y1, ...] in pixels, or {counts, size} where counts is a list
            (uncompressed) or a text (compressed).
        size: height and width of the image.

    Raises:
        ValueError: it is none of these, or is made for another size.
    """
    if isinstance(segmentation, Mapping) and {"counts", "size"} <= segmentation.keys():
        if tuple(segmentation["size"]) != tuple(size):
            raise ValueError(f"its run lengths are for {list(segmentation['size'])}, the image is {list(size)}")
        counts = segmentation["counts"]
        lengths = _lengths(counts) if isinstance(counts, str | bytes) else counts
        return _filled(np.cumsum(lengths, dtype=np.int64), size)
    if not isinstance(segmentation, Sequence) or isinstance(segmentation, str):
        raise ValueError(f"its segmentation is {str(segmentation)[:50]!r}, neither polygons nor run lengths")
    found = np.zeros(size, bool)
    for polygon in segmentation:
        found |= _polygon(polygon, size)
    return found


def _polygon(flat: Any, size: tuple[int, int]) -> Bool[np.ndarray, " h w"]:
    if not isinstance(flat, Sequence) or len(flat) < 6 or len(flat) % 2:
        raise ValueError(f"its polygon {str(flat)[:50]} has no x and y for each of three corners or more")
    numbers = [value if isinstance(value, int | float) else np.nan for value in flat]
    if not (np.abs(numbers) <= _FAR).all():  # true for NaN too
        raise ValueError(f"its polygon {str(flat)[:50]} holds what is no number of pixels")
    corners = np.trunc(_FINE * np.array(numbers).reshape(-1, 2) + 0.5).astype(np.int64)
    line = np.concatenate([_walk(a, b) for a, b in zip(corners, np.roll(corners, -1, axis=0), strict=True)])
    return _filled(_crossings(line, size), size)


def _walk(a: Int[np.ndarray, " 2"], b: Int[np.ndarray, " 2"]) -> Int[np.ndarray, " n 2"]:
    """The cells of the fine grid from corner to corner, always computed from the same end: edges that meet agree."""
    long = int(abs(b[1] - a[1]) > abs(b[0] - a[0]))  # the axis along which each step is one cell
    low, high = (a, b) if a[long] <= b[long] else (b, a)
    steps = np.arange(high[long] - low[long] + 1)
    slope = (high[1 - long] - low[1 - long]) / max(len(steps) - 1, 1)
    cells = np.empty((len(steps), 2), np.int64)
    cells[:, long] = low[long] + steps
    cells[:, 1 - long] = np.trunc(low[1 - long] + slope * steps + 0.5)
    return cells if low is a else cells[::-1]


def _crossings(line: Int[np.ndarray, " n 2"], size: tuple[int, int]) -> Int[np.ndarray, " m"]:
    """Where the outline crosses the middle of a column: places in the picture read column by column."""
    height, width = size
    before, after = line[:-1], line[1:]
    moved = before[:, 0] != after[:, 0]
    before, after = before[moved], after[moved]
    x = (np.where(after[:, 0] < before[:, 0], after[:, 0], after[:, 0] - 1) + 0.5) / _FINE - 0.5
    y = np.ceil(np.clip((np.minimum(before[:, 1], after[:, 1]) + 0.5) / _FINE - 0.5, 0, height))
    inside = (x == np.floor(x)) & (x >= 0) & (x <= width - 1)
    return (x[inside] * height + y[inside]).astype(np.int64)


def _filled(ends: Int[np.ndarray, " m"], size: tuple[int, int]) -> Bool[np.ndarray, " h w"]:
    """Column by column, outside and inside take turns at each of the `ends`."""
    height, width = size
    flat = np.zeros(height * width, bool)
    if len(ends):
        first, last = int(ends.min()), int(ends.max())
        if not 0 <= first <= last <= len(flat):
            raise ValueError(f"its run lengths reach pixel {last} of {len(flat)}")
        last = len(flat) if len(ends) % 2 else last  # nothing ends what has begun
        turns = np.bincount(ends - first, minlength=last - first)[: last - first].astype(np.uint8)
        flat[first:last] = np.cumsum(turns, dtype=np.uint8) & 1  # a sum that overflows stays even or odd
    return flat.reshape(width, height).T


def _lengths(text: str | bytes) -> list[int]:
    """Five bits per character, the lowest first; from the fourth on, the difference to the length before the last."""
    found: list[int] = []
    value, shift = 0, 0
    for code in text.encode() if isinstance(text, str) else text:
        bits = code - 48
        if not 0 <= bits < 64:
            raise ValueError(f"its run lengths hold the character {chr(code)!r}, which stands for no number")
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:  # the last of this number; its highest bit is the sign
            value -= (bits & 16 and 1) << shift
            found.append(value + (found[-2] if len(found) > 2 else 0))
            value, shift = 0, 0
    return found
