"""Colours as files: photos whose lightness is their own, to the last pixel (Zhang et al., 2016)."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Num, UInt8
from torch import Tensor
from torch.nn import functional as F

from src.data.lab import lab, srgb
from src.run.inference.field.field import Field
from src.run.inference.picture import shrinking
from src.run.inference.source import Source
from src.run.inference.writing import save_png

_SAME = 0.1  # of L, a and b: a grey level is 0.4 of L
_HALVINGS = 8
_STRIP = 2**20  # pixels that are coloured at a time


class Color(Field):
    """a and b, enlarged from the size that the network answers at."""

    channels = 2

    def values(self, output: Tensor, size: tuple[int, int]) -> Float[Tensor, "b 2 h w"]:
        """a and b; bins are decoded before they are enlarged."""
        return F.interpolate(self.task.answer(output), size, mode="bilinear", align_corners=False)

    def answer(self, values: Float[Tensor, "b 2 h w"]) -> Float[Tensor, "b 2 h w"]:
        return values

    def paths(self, source: Source, folder: Path) -> list[Path]:
        return [folder / self.name / f"{source.name}.png"]

    def canvas(self, source: Source, image: Num[Tensor, "3 h w"], folder: Path) -> "_Canvas":
        return _Canvas(image, self.task.description.value_range, self.paths(source, folder)[0])


class _Canvas:
    def __init__(self, image: Tensor, value_range: tuple[float, float], path: Path) -> None:
        self._image, self._range, self._path = image, value_range, path
        self._colors = np.zeros((*image.shape[-2:], 3), np.uint8)

    def write(self, top: int, values: Float[Tensor, "2 rows w"]) -> None:
        """Each row gets its colours, and keeps the lightness that it has in the file."""
        low, high = self._range
        rows = max(1, _STRIP // values.shape[2])
        for ab in values.float().cpu().split(rows, 1):
            image = (self._image[:, top : top + ab.shape[1]].float() - low) / (high - low)
            color = colored(lab(image.clamp(0, 1))[:1], ab)
            self._colors[top : top + ab.shape[1]] = (color * 255).round().byte().permute(1, 2, 0).numpy()
            top += ab.shape[1]

    def save(self, stamp: str) -> dict[str, Any]:
        save_png(self._path, self._colors, stamp)
        return {}

    def picture(self) -> UInt8[np.ndarray, "i j 3"]:
        step = shrinking(self._colors.shape[:2])
        return self._colors[::step, ::step]

    def drop(self) -> None:
        """Nothing is on disk before it is saved."""


def colored(lightness: Float[Tensor, "1 h w"], ab: Float[Tensor, "2 h w"]) -> Float[Tensor, "3 h w"]:
    """sRGB of that lightness; where sRGB has no such colour, the most vivid one of the same hue that it has.

    Args:
        lightness: L, 0 to 100.
        ab: a and b.
    """
    wanted = torch.cat([lightness, ab])
    found = srgb(wanted)
    away = _away(wanted, found)
    found[:, away] = _nearest(wanted[:, away][..., None])[..., 0]
    return found


def _away(wanted: Float[Tensor, "3 h w"], found: Float[Tensor, "3 h w"]) -> Bool[Tensor, "h w"]:
    """Where what was found in sRGB is not what was wanted."""
    return ((lab(found) - wanted).abs() > _SAME).any(0)


def _nearest(wanted: Float[Tensor, "3 n 1"]) -> Float[Tensor, "3 n 1"]:
    """The colours with as large a share of a and b as sRGB has at their lightness."""
    share = torch.zeros_like(wanted[:1])
    for halving in range(1, _HALVINGS + 1):
        larger = share + 0.5**halving
        paler = torch.cat([wanted[:1], larger * wanted[1:]])
        share = torch.where(_away(paler, srgb(paler)), share, larger)
    return srgb(torch.cat([wanted[:1], share * wanted[1:]]))
