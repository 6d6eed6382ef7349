"""The colours of sRGB in the plane of a and b: its bins, their soft encoding, and back (Zhang et al., 2016).

Bins lie on a grid of 10. One is kept if it is among the five nearest of some 8-bit sRGB colour, so that whatever the
soft encoding can reach is there: 322 bins. Their inner 261 hold a colour themselves. The authors have 313: all of these
but nine, which only the purest green, red, blue and magenta reach. Without those nine the bins are the authors', and in
their order, so that published weights mean the same.
"""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import torch
from jaxtyping import Float, Int64, Integer
from torch import Tensor

from src.data.lab import lab

FULL = 110.0  # a and b that an output of 1 means, where they are regressed
GRID = 10  # of a and b, between bins
SIDE, ZERO = 256, 128  # of the lookup by a and b, rounded to whole numbers, and where 0 stands in it
_NEAREST = 5
_UNUSED = (
    (-90, 40), (-70, 100), (-60, 100), (70, -120), (80, -120), (80, 80), (110, -70), (110, -60), (110, -50),
)  # fmt: skip


def _constant(function: Callable[..., Any]) -> Callable[..., Any]:
    """Made once, on the CPU, whatever device or inference mode the first who asks is in."""

    @cache
    @wraps(function)
    def made(*args: Any) -> Any:
        with torch.device("cpu"), torch.inference_mode(False):
            return function(*args)

    return made


@_constant
def reached() -> Float[Tensor, "n 2"]:
    """Every bin that is among the five nearest of an 8-bit sRGB colour, by a, then b.

    The surface of the colour cube covers all there is of a and b, and every third of its 256 levels finds all of them.
    """
    level = torch.arange(0, 256, 3, dtype=torch.float64) / 255
    sides = torch.meshgrid(level, level, indexing="ij")
    faces = [torch.stack([torch.full_like(sides[0], end), *sides]).roll(axis, 0) for end in (0, 1) for axis in range(3)]
    ab = torch.cat([lab(face)[1:].flatten(1) for face in faces], 1).T
    steps = torch.cartesian_prod(torch.arange(-1, 2), torch.arange(-1, 2))
    around = (ab / GRID).round()[:, None] + steps  # nine bins, which hold the nearest five
    nearest = (GRID * around - ab[:, None]).square().sum(-1).topk(_NEAREST, dim=1, largest=False).indices
    found = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    found[tuple((around.gather(1, nearest[..., None].expand(-1, -1, 2)).long() + ZERO).unbind(-1))] = True
    return GRID * (found.nonzero() - ZERO).float()


@_constant
def centres() -> Float[Tensor, "313 2"]:
    """a and b in the middle of each bin, by a, then b."""
    unused = (reached()[:, None] == torch.tensor(_UNUSED)).all(-1).any(1)
    return reached()[~unused]


def code(ab: Float[Tensor, "b 2 h w"]) -> Int64[Tensor, "b h w"]:
    """The place of each pixel's colour in a lookup of 256 · 256, a and b rounded."""
    a, b = (ab.round().long() + ZERO).clamp_(0, SIDE - 1).unbind(1)
    return a * SIDE + b


@_constant
def encoding(neighbours: int = _NEAREST, sigma: float | int = 5.0) -> tuple[Int64[Tensor, "n k"], Float[Tensor, "n k"]]:
    """For each code its nearest bins, the nearest first, and their shares, which fall as a Gaussian and sum to 1."""
    axis = torch.arange(SIDE, dtype=torch.float32) - ZERO
    distance, index = torch.cdist(torch.cartesian_prod(axis, axis), centres()).topk(neighbours, largest=False)
    return index, torch.softmax(-distance.square() / (2 * sigma**2), dim=1)


def bins(ab: Float[Tensor, "b 2 h w"]) -> Int64[Tensor, "b h w"]:
    """The nearest bin of each pixel."""
    return encoding()[0][:, 0].to(ab.device)[code(ab)]


def annealed_mean(logits: Float[Tensor, "b 313 h w"], temperature: float | int) -> Float[Tensor, "b 2 h w"]:
    """a and b of each pixel: the mean of the bins, their probabilities sharpened.

    Args:
        logits: of the bins.
        temperature: 1 is the mean, which is pale; 0 the most probable bin, which is patchy.
    """
    middle = centres().to(logits.device)
    if temperature == 0:
        return middle[logits.argmax(1)].movedim(-1, 1)
    with torch.autocast(logits.device.type, enabled=False):  # half precision would round the colours
        shares = (logits.float() / temperature).softmax(1)
        return torch.einsum("bkhw,kc->bchw", shares, middle)


def smoothed(
    pixels: Integer[Tensor, " n"], neighbours: int = _NEAREST, sigma: float | int = 5.0
) -> Float[Tensor, " 313"]:
    """The share of each bin in the pixels, softly encoded, that were counted of each code.

    Raises:
        ValueError: nothing was counted.
    """
    index, share = encoding(neighbours, sigma)
    counts = (pixels.cpu()[:, None] * share.double()).flatten()
    total = torch.zeros(len(centres()), dtype=torch.float64).index_add_(0, index.flatten(), counts)
    if not total.sum() > 0:
        raise ValueError("colours were counted in no pixel at all: the training set is empty")
    return (total / total.sum()).float()
