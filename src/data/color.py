"""Class indices as colours that people can tell apart."""

import colorsys
from collections.abc import Sequence

import torch
from jaxtyping import Float, Integer, UInt8
from torch import Tensor

from src.data.description import UNKNOWN

UNKNOWN_COLOR = (224, 224, 192)  # what PASCAL VOC draws its void in
_GRADES = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
_GREY = 160  # of a number that is unknown


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


def lit(values: Float[Tensor, " b c h w"]) -> UInt8[Tensor, " b 3 h w"]:
    """Numbers from 0 to 1: three channels as light, in sRGB, or the first by its colour; grey where they are NaN."""
    if values.shape[1] == 3:
        unknown = values.isnan().any(1, keepdim=True)
        return (values.clamp(0, 1) ** (1 / 2.2) * 255).masked_fill(unknown, _GREY).round().byte()
    return graded(values[:, 0])


def graded(values: Float[Tensor, " b h w"]) -> UInt8[Tensor, " b 3 h w"]:
    """Numbers from 0 to 1 as colours from dark violet over blue, teal and green to yellow; grey where they are NaN.

    Equal steps look equally large, in grey and to the colour-blind as well (viridis); what is beyond an end is as that.
    """
    table = torch.tensor(_GRADES, dtype=torch.float32, device=values.device)
    unknown = values.isnan()
    place = values.float().masked_fill(unknown, 0).clamp(0, 1) * (len(table) - 1)
    below = place.long().clamp_(max=len(table) - 2)
    colors = torch.lerp(table[below], table[below + 1], (place - below)[..., None])
    return colors.masked_fill(unknown[..., None], _GREY).round().byte().permute(0, 3, 1, 2)
