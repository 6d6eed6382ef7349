"""Position-sensitive regions (Dai et al., 2016): each part of a region is cut from a map of its own."""

from collections.abc import Callable, Mapping, Sequence
from math import isqrt

import torch
from jaxtyping import Float
from torch import Tensor

# What `model/roi` builds: levels, and boxes of each image in pixels -> the cells of all boxes.
Cut = Callable[[Mapping[str, Tensor], Sequence[Tensor]], Tensor]


def position_sensitive(
    cut: Cut, maps: Float[Tensor, "b k2 c h w"], boxes: Sequence[Float[Tensor, "_ 4"]]
) -> Float[Tensor, "n c p p"]:
    """k·s cells along each side of every box, those of the first image first.

    A box falls into k×k parts, row by row, and part i has s×s cells of map i. Parts go to `cut` as boxes of images of
    their own, so that any operator serves; with averages of samples it is `torchvision.ops.ps_roi_align`, whose cells
    are as many as its maps, where here s is free (FCIS has k = 7 and s = 3).

    Args:
        cut: gives s×s cells of a box.
        maps: k² of them for each image.
        boxes: of each image, in pixels of it.
    """
    side = isqrt(maps.shape[1])
    parts = [part for box in boxes for part in _parts(box, side)]
    cells = cut({"0": maps.flatten(0, 1)}, parts)
    whole = [_joined(own, side) for own in cells.split([len(box) * side**2 for box in boxes])]
    return torch.cat(whole)


def _parts(boxes: Float[Tensor, "n 4"], side: int) -> Float[Tensor, "k2 n 4"]:
    """Row by row, the same part of every box."""
    edges = torch.linspace(0, 1, side + 1, device=boxes.device, dtype=boxes.dtype)
    corner, extent = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    x, y = (corner[:, i] + edges[:, None] * extent[:, i] for i in (0, 1))  # [side + 1, n]
    rows, columns = torch.arange(side).repeat_interleave(side), torch.arange(side).repeat(side)
    return torch.stack([x[columns], y[rows], x[columns + 1], y[rows + 1]], 2)


def _joined(cells: Float[Tensor, "m c s s"], side: int) -> Float[Tensor, "n c p p"]:
    """Cells of each part, those of the same part side by side -> cells of each box."""
    apart = cells.unflatten(0, (side, side, len(cells) // side**2))
    return apart.permute(2, 3, 0, 4, 1, 5).flatten(4, 5).flatten(2, 3)
