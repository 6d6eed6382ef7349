"""Objects as run lengths in a table: how the challenges of Kaggle publish masks."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from src.data.layout import lines


def runs(table: Path) -> dict[str, list[str]]:
    """The objects of each image, from rows `ImageId,EncodedPixels`; no pixels stand for an image without objects.

    Raises:
        ValueError: the table has other columns.
    """
    reader = csv.DictReader(lines(table))
    if not {"ImageId", "EncodedPixels"} <= set(reader.fieldnames or ()):
        raise ValueError(f"{table} has the columns {reader.fieldnames}: it needs ImageId and EncodedPixels")
    found: dict[str, list[str]] = defaultdict(list)
    for row in reader:
        found[row["ImageId"]] += [row["EncodedPixels"]] if row["EncodedPixels"] else []
    return dict(found)


def drawn(encoded: str, size: tuple[int, int]) -> Bool[np.ndarray, "h w"]:
    """The pixels of one object.

    Args:
        encoded: pairs of a first pixel, counted from 1 down the columns, and a length.
        size: height and width of the image.

    Raises:
        ValueError: these are no pairs of such numbers, or they reach beyond the image.
    """
    height, width = size
    flat = np.zeros(height * width, bool)
    numbers = [int(word) if word.isdecimal() else 0 for word in encoded.split()]
    if len(numbers) % 2 or 0 in numbers:
        raise ValueError(f"its run lengths {encoded[:40]!r} are no pairs of a first pixel and a length")
    for first, length in zip(numbers[::2], numbers[1::2], strict=True):
        if first - 1 + length > len(flat):
            raise ValueError(f"its run lengths reach pixel {first - 1 + length} of {len(flat)}")
        flat[first - 1 : first - 1 + length] = True
    return flat.reshape(width, height).T
