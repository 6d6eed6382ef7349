"""The objects of an image, as a view of it shows them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Num
from torch import Tensor

from src.data.box import box
from src.data.sample import Instances
from src.data.transform.view import View, corners


def moved(objects: Instances, view: View, flip_pairs: Sequence[tuple[int, int]], least: int) -> Instances:
    """The objects that can be seen, at the size of the view's output.

    - masks are moved to the nearest pixel, as every target is; boxes are taken anew from them. An object without a mask
      gets the box around its moved corners, cut at the output's edges.
    - keypoints move exactly, those outside become 0, 0, 0, and under a mirror `flip_pairs` exchange their places.
    - areas change as the number of the mask's pixels does, or as the box's area does by the zoom and the cut.
    - objects of fewer than `least` pixels (of the box where there is no mask), or thinner than one, are dropped.
    """
    seen = _by_box(objects.boxes, view) if objects.masks is None else _by_mask(objects.masks, view)
    kept = (seen.pixels >= least) & (seen.boxes[:, 2:] - seen.boxes[:, :2] >= 1).all(1)
    keypoints = None if objects.keypoints is None else _pointed(objects.keypoints, view, flip_pairs)
    areas = None if objects.areas is None else objects.areas * seen.growth
    left = replace(objects, boxes=seen.boxes, masks=None, keypoints=keypoints, areas=areas).only(kept)
    if seen.parts is None:
        return left
    return replace(left, masks=_framed([seen.parts[index] for index in kept.nonzero().flatten().tolist()], view))


class _Part(NamedTuple):
    """A mask within a window of the output."""

    rows: slice
    columns: slice
    pixels: np.ndarray  # [m n] of 0 and 1


class _Seen(NamedTuple):
    boxes: Float[Tensor, " n 4"]
    pixels: Float[Tensor, " n"]
    growth: Float[Tensor, " n"]  # of the area: pixels now, for each before
    parts: list[_Part] | None


def _by_mask(masks: Num[Tensor, " n i j"] | Bool[Tensor, " n i j"], view: View) -> _Seen:
    """Only the windows are sampled in which an object can be, so that many small ones cost little."""
    planes = (masks if masks.dtype in (torch.bool, torch.uint8) else masks != 0).contiguous().numpy().view(np.uint8)
    before = torch.tensor([box(plane) for plane in planes], dtype=torch.float32).reshape(-1, 4)
    parts, boxes, numbers = [], [], []
    for plane, (rows, columns) in zip(planes, view.windows(before), strict=True):
        pixels = view.part(plane, rows, columns)
        x0, y0, x1, y1 = box(pixels) if pixels.size else (0, 0, 0, 0)
        boxes.append((x0 + columns.start, y0 + rows.start, x1 + columns.start, y1 + rows.start))
        numbers.append((np.count_nonzero(pixels), max(cv2.countNonZero(plane), 1)))
        parts.append(_Part(rows, columns, pixels))
    now, once = torch.tensor(numbers, dtype=torch.float32).reshape(-1, 2).unbind(1)
    return _Seen(torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), now, now / once, parts)


def _by_box(boxes: Float[Tensor, " n 4"], view: View) -> _Seen:
    places = view.points(corners(boxes.as_subclass(Tensor)))
    whole = torch.cat([places.amin(1), places.amax(1)], 1)
    edge = torch.tensor([view.columns.length, view.rows.length] * 2)
    cut = whole.clamp(min=0).minimum(edge)
    pixels = _area(cut)
    return _Seen(cut, pixels, view.growth * pixels / _area(whole), None)


def _area(boxes: Float[Tensor, " n 4"]) -> Float[Tensor, " n"]:
    return (boxes[:, 2:] - boxes[:, :2]).prod(1)


def _framed(parts: Sequence[_Part], view: View) -> Bool[Tensor, " n h w"]:
    masks = np.zeros((len(parts), view.rows.length, view.columns.length), bool)
    for mask, part in zip(masks, parts, strict=True):
        mask[part.rows, part.columns] = part.pixels
    return torch.from_numpy(masks)


def _pointed(
    keypoints: Float[Tensor, " n k 3"], view: View, flip_pairs: Sequence[tuple[int, int]]
) -> Float[Tensor, " n k 3"]:
    result = keypoints.as_subclass(Tensor).clone()
    result[..., :2] = view.points(result[..., :2])
    edge = torch.tensor([view.columns.length, view.rows.length])
    inside = ((result[..., :2] >= 0) & (result[..., :2] < edge)).all(-1) & (result[..., 2] > 0)
    result[~inside] = 0.0
    if view.mirrored:
        order = list(range(keypoints.shape[1]))
        for left, right in flip_pairs:
            order[left], order[right] = order[right], order[left]
        result = result[:, order]
    return result
