"""An image file that was opened and not yet decoded: what every reader of a format gives."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

_TURNED = {  # orientation tag of EXIF and TIFF -> what shows the stored picture upright
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


@dataclass(frozen=True)
class Raster:
    """What the header of an image file says, and the function that reads the rest."""

    stored: tuple[int, int]  # height and width, before the file's own orientation tag is followed
    channels: int  # transparency counts as one
    dtype: np.dtype  # of the values as they are kept: uint8, uint16 or float32
    decode: Callable[[], np.ndarray]  # [h w] or [h w c], upright
    alpha: bool = False  # the last channel is transparency
    orientation: int = 1  # the file's tag, 1 to 8

    @property
    def size(self) -> tuple[int, int]:
        """Height and width as displayed."""
        return self.stored[::-1] if self.orientation >= 5 else self.stored

    def pixels(self) -> np.ndarray:
        """[h w c] of `dtype`, as displayed, every value as it stands in the file.

        Raises:
            ValueError: integers that do not fit into 16 bits.
        """
        array = self.decode()
        if array.dtype.kind == "i" or array.dtype.itemsize > 2:
            outside = (array < 0) | (array > 65535)
            if array.dtype.kind != "f" and outside.any():
                raise ValueError(_told(array, outside))
        array = np.atleast_3d(array).astype(self.dtype, copy=False)
        assert array.shape == (*self.size, self.channels), f"{array.shape} decoded, {self} announced"
        return np.ascontiguousarray(array)


def _told(array: np.ndarray, outside: np.ndarray) -> str:
    place = tuple(np.argwhere(outside)[0])
    return (
        f"{np.count_nonzero(outside)} of its values are not within 0..65535, the first, {array[place]}, at "
        f"(x={place[1]}, y={place[0]}): save an image of such values as float32, and what is unknown in a mask as 255"
    )


def kept(dtype: np.dtype) -> np.dtype:
    """The type, of the three that images have here, that holds a file's values as they are.

    Raises:
        ValueError: no picture has values of this type.
    """
    if dtype.kind not in "biuf":
        raise ValueError(f"values of type {dtype} are no picture")
    if dtype.kind == "f":
        return np.dtype(np.float32)
    return np.dtype(np.uint8 if dtype in (np.uint8, np.bool_) else np.uint16)


def upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """The stored picture as it is displayed."""
    return _TURNED[orientation](array) if orientation in _TURNED else array


def orientation(tag: object) -> int:
    """A file's tag, or 1 (as stored) where it says nothing sensible."""
    return tag if isinstance(tag, int) and 1 <= tag <= 8 else 1
