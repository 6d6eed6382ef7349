"""Which class a mask file's values stand for; every value is declared, or the file is refused."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Integer, UInt8
from torch import Tensor

from src.data.description import UNKNOWN

Color = tuple[int, int, int]

_SHOWN = 8  # undeclared values that an error lists
_COMPRESSED = 16  # so many undeclared values were not drawn by anybody


class Values:
    """File values, or colors, -> class indices, by one lookup for the whole mask."""

    def __init__(self, classes: Mapping[int, int] | Mapping[Color, int]) -> None:
        """Build the lookup.

        Args:
            classes: file value (0 and up), or RGB color, -> class index, 255 for unknown.

        Raises:
            ValueError: nothing is declared, or a mixture of values and colors.
        """
        kinds = {isinstance(value, tuple) for value in classes}
        if len(kinds) != 1:
            raise ValueError(f"values must be all file values or all colors, not {list(classes)}")
        self.colored = kinds.pop()
        self.declared = dict(classes)
        self._table = _table({_key(value): index for value, index in classes.items()})

    def __call__(
        self, labels: Integer[np.ndarray, " h w"] | Integer[np.ndarray, " h w 3"], path: Path
    ) -> UInt8[Tensor, " h w"]:
        """The class of each pixel, 255 where unknown; `path` is what an error names.

        Raises:
            ValueError: a value that is not declared, with how often and where it stands, and what may be meant.
        """
        if self.colored and labels.dtype != np.uint8:
            raise ValueError(f"{path} holds 16-bit colors: save masks with 8 bits per channel")
        keys = _packed(labels) if self.colored else labels
        found = np.take(self._table, keys, mode="clip")  # what is beyond the table meets its last entry
        if found.min() < 0:
            raise ValueError(self._complaint(keys, found < 0, path))
        return torch.from_numpy(found.astype(np.uint8))

    def _complaint(self, keys: np.ndarray, missing: np.ndarray, path: Path) -> str:
        values, counts = (found.tolist() for found in np.unique(keys[missing], return_counts=True))
        y, x = np.argwhere(missing)[0]
        order = sorted(range(len(values)), key=lambda i: -counts[i])[:_SHOWN]  # the most frequent first
        listed = ", ".join(f"{self._shown(values[i])} in {counts[i]} pixels" for i in order)
        more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
        declared = ", ".join(str(value) for value in list(self.declared)[:_SHOWN])
        dots = " ..." if len(self.declared) > _SHOWN else ""
        first = self._shown(int(keys[y, x]))
        return (
            f"{path} holds undeclared values: {listed}{more}; the first, {first}, at (x={x}, y={y}). "
            f"Declared: {declared}{dots}.{self._hint(values, path)}"
        )

    def _shown(self, key: int) -> str:
        return str(_unpacked(key) if self.colored else key)

    def _hint(self, values: list[int], path: Path) -> str:
        if len(values) >= _COMPRESSED or path.suffix.lower() in (".jpg", ".jpeg"):
            return " A mask saved as JPEG holds values that nobody drew: save masks as PNG"
        if self.colored:
            return ""
        if values == [255] and len(set(self.declared.values()) - {UNKNOWN}) == 2:
            return " If 255 is the second class say data.values=binary (255 -> 1), if it is unknown data.void=255"
        if values == [255]:
            return " If 255 is unknown say data.void=255"
        return ""


def _table(classes: dict[int, int]) -> np.ndarray:
    """Class of each value up to the largest declared one, -1 where undeclared; the last entry is for all beyond."""
    if min(classes) < 0 or max(classes) >= 1 << 24:
        raise ValueError(f"values are 0 to 65535 and colors 0 to 255 thrice, not {list(classes)}")
    table = np.full(max(classes) + 2, -1, np.int16)
    table[list(classes)] = list(classes.values())
    return table


def _key(value: int | Color) -> int:
    return value[0] << 16 | value[1] << 8 | value[2] if isinstance(value, tuple) else value


def _packed(color: np.ndarray) -> np.ndarray:
    """[... 3] channels of 8 bits as one number of 24."""
    key = color[..., 0].astype(np.int32)
    for channel in (1, 2):
        key = key << 8 | color[..., channel]
    return key


def _unpacked(key: int) -> Color:
    return key >> 16, key >> 8 & 255, key & 255
