"""Class indices as colours that people can tell apart."""

import colorsys
from collections.abc import Sequence

import torch
from jaxtyping import Integer, UInt8
from torch import Tensor

from src.data.description import UNKNOWN

UNKNOWN_COLOR = (224, 224, 192)  # what PASCAL VOC draws its void in


def palette(colors: Sequence[tuple[int, int, int]]) -> list[int]:
    """256 · 3 numbers for a palette PNG: the classes' colours, black, and 255 as unknown."""
    table = [0] * (256 * 3)
    table[: 3 * len(colors)] = [part for color in colors for part in color]
    table[3 * UNKNOWN :] = UNKNOWN_COLOR
    return table


def painted(mask: Integer[Tensor, " h w"], colors: Sequence[tuple[int, int, int]]) -> UInt8[Tensor, " 3 h w"]:
    """A class map in its classes' colours."""
    table = torch.tensor(palette(colors), dtype=torch.uint8, device=mask.device).reshape(256, 3)
    return table[mask.long()].permute(2, 0, 1)


def flattened(masks: Integer[Tensor, " k h w"]) -> Integer[Tensor, " h w"]:
    """Overlapping masks as one class map for a picture: the highest class that is there, 255 where none is."""
    index = torch.arange(len(masks), device=masks.device)[:, None, None]
    top = torch.where(masks == 1, index, -1).amax(0)
    return torch.where(top < 0, UNKNOWN, top)


def distinct(count: int) -> tuple[tuple[int, int, int], ...]:
    """Colours for classes that come without: hues a golden angle apart, at three lightnesses."""
    found = []
    for index in range(count):
        hue, lightness = index * 0.618034 % 1, (0.5, 0.35, 0.7)[index % 3]
        found.append(tuple(round(255 * part) for part in colorsys.hls_to_rgb(hue, lightness, 0.75)))
    return tuple(found)
