"""An image in overlapping tiles whose answers fade into one another, a row of tiles at a time."""

import math
from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float, Num
from torch import Tensor
from torch.nn import functional as F

_STRIP = 2**21  # pixels of an enlarged strip


def windows(length: int, tile: int, overlap: float | int) -> tuple[list[int], Float[Tensor, "n tile"]]:
    """Where equal tiles begin that cover a side, and what each of their pixels counts; at any place that sums to 1.

    Args:
        length: of the side, at least `tile`.
        tile: their length.
        overlap: share of a tile that it has in common with the next, at least.
    """
    stride = max(1, round(tile * (1 - overlap)))
    count = 1 + math.ceil((length - tile) / stride)
    starts = [round(index * (length - tile) / max(1, count - 1)) for index in range(count)]
    bump = torch.sin((torch.arange(tile, dtype=torch.float64) + 0.5) * math.pi / tile) ** 2  # above 0 everywhere
    total = torch.zeros(length, dtype=torch.float64)
    for start in starts:
        total[start : start + tile] += bump
    return starts, torch.stack([bump / total[start : start + tile] for start in starts]).float()


def blended(
    image: Num[Tensor, "c h w"],
    tile: tuple[int, int],
    overlap: float | int,
    at_once: int,
    predicted: Callable[[Num[Tensor, "b c y x"]], Float[Tensor, "b k y x"]],
) -> Iterator[tuple[int, Float[Tensor, "k rows w"]]]:
    """(top, probabilities) of bands that follow one another; a band one tile high is all that is held.

    A band is a view of what the next one is computed in: use it before asking for the next.

    Args:
        tile: height and width, at most those of the image.
        overlap: share of a tile that it has in common with the next, at least.
        at_once: how many tiles are given to `predicted`.
        predicted: probabilities of a batch of tiles.
    """
    tops, down = windows(image.shape[1], tile[0], overlap)
    lefts, across = windows(image.shape[2], tile[1], overlap)
    band = None
    for top, bottom, rows in zip(tops, [*tops[1:], image.shape[1]], down, strict=True):
        for first in range(0, len(lefts), at_once):
            group = lefts[first : first + at_once]
            parts = predicted(torch.stack([image[:, top : top + tile[0], x : x + tile[1]] for x in group]))
            if band is None:
                band = parts.new_zeros(parts.shape[1], tile[0], image.shape[2])
            for left, part, columns in zip(group, parts, across[first:], strict=False):
                weight = rows[:, None] * columns
                band[:, :, left : left + tile[1]].addcmul_(part, weight.to(part.device))
        assert band is not None
        done = bottom - top
        yield top, band[:, :done]
        band[:, : tile[0] - done] = band[:, done:].clone()
        band[:, tile[0] - done :] = 0


def enlarged(output: Float[Tensor, "k h w"], size: tuple[int, int]) -> Iterator[tuple[int, Float[Tensor, "k rows x"]]]:
    """(top, values) of bands of the output at `size`, bilinear: the whole of it need not fit into memory."""
    height, (total, width) = output.shape[1], size
    rows = max(1, _STRIP // width)
    for top in range(0, total, rows):
        place = torch.arange(top, min(top + rows, total), device=output.device)
        place = ((place + 0.5) * (height / total) - 0.5).clamp(0, height - 1)  # pixels are their centres
        above = place.floor().long()
        share = (place - above)[:, None]
        strip = output.float()[:, above].lerp(output.float()[:, (above + 1).clamp(max=height - 1)], share)
        yield top, F.interpolate(strip[None], (len(place), width), mode="bilinear", align_corners=False)[0]
