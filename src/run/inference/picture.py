"""An image under what was found in it: the colour of each pixel's class, one for each object, or objects drawn."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float32, Num, UInt8, UInt16
from torch import Tensor

from src.data.color import distinct, palette
from src.data.description import UNKNOWN, Description
from src.data.drawing import drawn
from src.run.inference.found import Found

_LARGEST = 4_000_000  # pixels; larger images are shrunk
_OPACITY = 0.5


def overlaid(
    image: Num[Tensor, "c h w"], mask: UInt8[np.ndarray, " h w"], description: Description
) -> UInt8[np.ndarray, " i j 3"]:
    """The image with its classes' colours laid over it; unknown pixels stay clear. Large ones are shrunk."""
    step = shrinking(mask.shape)
    small = mask[::step, ::step]
    colors = np.array(palette(description.colors), np.float32).reshape(256, 3)[small]
    return _laid(shown(image, step, description), colors, small != UNKNOWN)


def colored(
    image: Num[Tensor, "c h w"], ids: UInt16[np.ndarray, " h w"], description: Description
) -> UInt8[np.ndarray, " i j 3"]:
    """The image with a colour laid over each object, as U-Net's authors show theirs; drawn at random, always alike."""
    step, count = shrinking(ids.shape), int(ids.max())
    order = np.random.default_rng(0).permutation(count)  # objects that are neighbours have neighbouring numbers
    table = np.array([(0, 0, 0), *np.array(distinct(count)).reshape(-1, 3)[order]], np.float32)
    small = ids[::step, ::step]
    return _laid(shown(image, step, description), table[small], small != 0)


def outlined(image: Num[Tensor, "c h w"], found: Found, description: Description) -> UInt8[np.ndarray, " i j 3"]:
    """The image under its objects' masks, boxes, scores and skeletons. Large ones are shrunk."""
    step = shrinking(image.shape[-2:])
    picture = torch.from_numpy(shown(image, step, description).round().astype(np.uint8)).permute(2, 0, 1)
    return drawn(picture, found.at(tuple(picture.shape[1:])), description).permute(1, 2, 0).numpy()


def cut_out(
    image: Num[Tensor, "c h w"], found: Found, index: int, description: Description
) -> UInt8[np.ndarray, " i j 4"] | None:
    """An object by itself, transparent around it; None where it has no pixel."""
    mask = found.mask(index)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    there = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    picture = shown(image[:, *there], 1, description).round().astype(np.uint8)
    return np.dstack([picture, mask[there] * np.uint8(255)])


def shrinking(size: Sequence[int]) -> int:
    """Of how many rows and columns of a picture of that height and width one is drawn."""
    return math.ceil(math.sqrt(size[0] * size[1] / _LARGEST))


def shown(image: Num[Tensor, "c h w"], step: int, description: Description) -> Float32[np.ndarray, " i j 3"]:
    """The image as a picture of 0 to 255."""
    low, high = description.value_range
    shown = image[:3] if len(image) >= 3 else image[:1].expand(3, -1, -1)
    picture = (shown[:, ::step, ::step].float() - low) / (high - low) * 255
    return picture.clamp(0, 255).permute(1, 2, 0).cpu().numpy()


def _laid(picture: np.ndarray, colors: np.ndarray, where: np.ndarray) -> np.ndarray:
    opacity = np.where(where, _OPACITY, 0)[..., None]
    return (picture * (1 - opacity) + colors * opacity).round().astype(np.uint8)
