"""Masks of one class from masks of its objects: touching ones are parted by a line (Ronneberger et al., 2015)."""

import numpy as np
from jaxtyping import Integer, UInt8


def foreground(ids: Integer[np.ndarray, "h w"], separate: bool) -> UInt8[np.ndarray, "h w"]:
    """1 where there is an object, 0 elsewhere.

    Args:
        ids: of objects; 0 is none.
        separate: leave out the pixels that touch another object, over an edge or a corner: a line of two pixels, one
            from each, so that objects do not grow together. One of which nothing else would stay keeps its pixels.
    """
    there = ids != 0
    if not separate:
        return there.astype(np.uint8)
    inner = there & ~_touching(ids)
    lost = np.setdiff1d(ids[there], ids[inner])
    return (inner | np.isin(ids, lost)).astype(np.uint8) if len(lost) else inner.astype(np.uint8)


def _touching(ids: np.ndarray) -> np.ndarray:
    """Where one of the eight neighbours belongs to another object."""
    result = np.zeros(ids.shape, bool)
    height, width = ids.shape
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = slice(0, height - down), slice(max(0, -right), width - max(0, right))
        there = slice(down, height), slice(max(0, right), width - max(0, -right))
        differ = (ids[here] != ids[there]) & (ids[here] != 0) & (ids[there] != 0)
        result[here] |= differ
        result[there] |= differ
    return result
