"""The box around a mask."""

import cv2
import numpy as np
from jaxtyping import Bool, UInt8


def box(mask: Bool[np.ndarray, "h w"] | UInt8[np.ndarray, "h w"]) -> tuple[int, int, int, int]:
    """The edges of the pixels that are set, x0 y0 x1 y1; all 0 where none is."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    return left, top, left + width, top + height
