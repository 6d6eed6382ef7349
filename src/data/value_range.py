"""What black and white are in an image's own values."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

_RANGES = {np.dtype(np.uint8): (0.0, 255.0), np.dtype(np.uint16): (0.0, 65535.0)}


def black_and_white(value_range: Sequence[float | int] | None, dtype: np.dtype, first: Path) -> tuple[float, float]:
    """As the user said, or by the type of the first image.

    Raises:
        ValueError: nothing was said of floats.
    """
    if value_range is not None:
        low, high = (float(value) for value in value_range)
        return low, high
    if dtype not in _RANGES:
        raise ValueError(f"{first} holds floats: say what black and white are, as data.value_range=[0,1]")
    return _RANGES[dtype]
