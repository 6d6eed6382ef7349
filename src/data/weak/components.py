"""The connected components of each class of a mask."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, UInt8
from scipy.ndimage import distance_transform_edt, find_objects, label

from src.data.description import UNKNOWN

_CORNERS = np.ones((3, 3), bool)  # pixels that touch at a corner are of one component: a thin pole stays whole


def components(
    mask: UInt8[np.ndarray, " h w"],
) -> Iterator[tuple[int, tuple[slice, slice], Bool[np.ndarray, " i j"]]]:
    """The class of each component, the smallest window around it, and which of the window's pixels are its own."""
    for each in np.unique(mask[mask != UNKNOWN]).tolist():
        parts, _ = label(mask == each, _CORNERS)
        for number, window in enumerate(find_objects(parts), 1):
            yield each, window, parts[window] == number


def depth(inside: Bool[np.ndarray, " i j"]) -> Float[np.ndarray, " i j"]:
    """How far each pixel of a component is from what is not of it; beyond the window nothing is."""
    return distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]
