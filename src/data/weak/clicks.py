"""Clicks: the cheapest labels there are (Bearman et al., 2016)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from src.data.description import UNKNOWN
from src.data.weak.components import components, depth


@dataclass(frozen=True)
class Clicks:
    """So many pixels of each connected component of each class, from its inner half, where people click."""

    per_object: int = 1

    def __call__(self, mask: UInt8[np.ndarray, " h w"], rng: np.random.Generator) -> UInt8[np.ndarray, " h w"]:
        """The mask, 255 but for the clicks; a component of fewer pixels is clicked all over."""
        found = np.full_like(mask, UNKNOWN)
        for label, window, inside in components(mask):
            deep = depth(inside)
            y, x = np.nonzero(deep >= deep.max() / 2)
            chosen = rng.permutation(len(y))[: self.per_object]
            found[window][y[chosen], x[chosen]] = label
        return found
