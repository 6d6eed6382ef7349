"""What colours cost: encoding them softly beside a search, and their loss beside the product with all bins."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from src.benchmark.clock import interleaved
from src.benchmark.row import Row
from src.data.gamut import SIDE, centres, code, encoding
from src.data.lab import lab
from src.loss.color_bins import ColorBins

SHARE = 4  # scores are made at a quarter of the image's size (Zhang et al., 2016)
PIXELS = torch.arange(SIDE * SIDE)  # of each colour in a training set
SEARCH, DENSE = "torch.cdist and topk", "product with 313 dense shares"
_NEIGHBOURS, _SIGMA = 5, 5.0


def batch(options: Mapping[str, Any], channels: int) -> tuple[Float[Tensor, "b k h w"], Float[Tensor, "b 2 h w"]]:
    """Scores of bins at a quarter of the size of other losses' batches, or a and b, and colours of noise."""
    size = options["size"] if channels == 2 else [max(1, side // SHARE) for side in options["size"]]
    generator = torch.Generator().manual_seed(0)
    target = lab(torch.rand(options["batch"], 3, *size, generator=generator))[:, 1:].contiguous()
    output = torch.randn(options["batch"], channels, *size, generator=generator)
    memory_format = torch.channels_last if options["channels_last"] else torch.contiguous_format
    return output.contiguous(memory_format=memory_format).requires_grad_(), target


def rows(config: Mapping[str, Any]) -> list[Row]:
    """The soft encoding of a batch."""
    _, ab = batch(config["loss"], 1)
    clocks = interleaved({"ours": lambda: looked_up(ab), SEARCH: lambda: searched(ab)}, config["rounds"])
    theirs, ours = clocks[SEARCH], clocks["ours"]
    wall = {"wall_theirs": theirs.wall, "wall_ours": ours.wall}
    times = theirs.milliseconds(), ours.milliseconds()
    return [Row("loss", "soft encoding of colours", SEARCH, *times, goal=0.05, more=wall)]


def looked_up(ab: Float[Tensor, "b 2 h w"]) -> tuple[Tensor, Tensor]:
    """The nearest bins of each pixel and their shares [b h w 5], as the loss has them."""
    index, share = encoding()
    place = code(ab)
    return index[place], share[place]


def searched(ab: Float[Tensor, "b 2 h w"]) -> tuple[Tensor, Tensor]:
    """The same without rounding a and b, by the distances to all bins."""
    points = ab.movedim(1, -1)
    distance, index = torch.cdist(points.flatten(0, -2), centres()).topk(_NEIGHBOURS, largest=False)
    share = torch.softmax(-distance.square() / (2 * _SIGMA**2), dim=1)
    shape = (*points.shape[:-1], _NEIGHBOURS)
    return index.view(shape), share.view(shape)


def dense(output: Float[Tensor, "b 313 h w"], ab: Float[Tensor, "b 2 h w"]) -> Float[Tensor, ""]:
    """The loss with a share for each bin of each pixel."""
    index, share = (part.movedim(-1, 1) for part in looked_up(ab))
    shares = torch.zeros_like(output).scatter_(1, index, share)
    nll = -(shares * output.log_softmax(1)).sum(1)
    return (nll * _weight()[index[:, 0]]).mean()


@cache
def _weight() -> Float[Tensor, " 313"]:
    loss = ColorBins()
    loss.calibrate_colors(PIXELS)
    return loss.weight
