"""A score in narrow bands around the boundaries between classes (Kohli et al., 2009; Krähenbühl and Koltun, 2011)."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Bool, Float, Integer, UInt8
from torch import Tensor
from torchmetrics import Metric

from src.data.description import UNKNOWN
from src.metric.count import count, matrix, refuse_strangers, same_shape


class Trimap(Metric):
    """The score of the pixels near a boundary of the target, for each of several widths; `trimap_1` ... by name.

    A known pixel is in the band of width w if a pixel of another known class is at most w steps away, where a step
    goes to any of the eight neighbours (Chebyshev's distance): at width 1 the two rows of pixels along a boundary.
    What is unknown is in no band and makes none. Counts are integers, as those of `Confusion`.
    """

    is_differentiable = False
    full_state_update = False
    counts: Tensor

    def __init__(
        self,
        num_classes: int,
        widths: Sequence[int],
        score: Callable[[Tensor], Tensor],
        num_channels: int | None = None,
        **options: Any,
    ) -> None:
        """Start at nothing.

        Args:
            num_classes: 2, yes and no, where masks overlap.
            widths: of the bands in pixels, growing.
            score: [c c+1] -> a number, or [k 2 3] -> a number where masks overlap.
            num_channels: k where masks overlap: each has boundaries of its own; None for one class per pixel.
            options: see `torchmetrics.Metric`.

        Raises:
            ValueError: the widths are no growing whole numbers from 1 on.
        """
        super().__init__(**options)
        if not widths or min(widths) < 1 or any(wide <= narrow for narrow, wide in pairwise(widths)):
            raise ValueError(f"trimap={list(widths)}: give growing whole numbers from 1 on, such as [1,2,4,8]")
        self.num_classes, self.widths, self.score, self.num_channels = num_classes, list(widths), score, num_channels
        shape = (len(widths), num_channels or 1, num_classes + 2, num_classes + 2)
        self.add_state("counts", torch.zeros(shape, dtype=torch.int64), dist_reduce_fx="sum")

    def update(
        self, output: Integer[Tensor, " b *k h w"] | Bool[Tensor, " b *k h w"], target: Integer[Tensor, " b *k h w"]
    ) -> None:
        """Count a batch; values as for `Confusion` or `ChannelConfusion`, whose check this relies on where it cannot
        look without waiting for the device.
        """
        same_shape(output, target)
        output, target = (_by_channel(maps, self.num_channels is not None) for maps in (output, target))
        for index, band in enumerate(bands(target.flatten(0, 1), self.widths)):
            near = target.masked_fill(~band.view_as(target), UNKNOWN)
            counts = count(output.flatten(1), near.flatten(1), self.num_classes)
            if counts.device.type == "cpu":
                refuse_strangers(counts)
            self.counts[index] += counts

    def compute(self) -> dict[str, Float[Tensor, ""]]:
        """The score in each band, NaN where the band is empty; on the CPU."""
        matrices = matrix(self.counts.cpu())
        matrices = matrices if self.num_channels is not None else matrices[:, 0]
        return {f"trimap_{width}": self.score(each) for width, each in zip(self.widths, matrices, strict=True)}


def bands(target: UInt8[Tensor, " n h w"], widths: Sequence[int]) -> Iterator[Bool[Tensor, " n h w"]]:
    """The pixels within each of the growing widths of a boundary.

    The largest and the smallest class spread by one step at a time; where they differ, two classes have met. Maxima of
    neighbouring bytes take a hundredth of the time of max_pool2d on a CPU.

    Args:
        target: class per pixel, 255 unknown.
    """
    known = target != UNKNOWN
    highest, lowest = target + 1, target  # unknown: 255 + 1 wraps to 0, below every class + 1
    for before, width in pairwise([0, *widths]):
        for _ in range(width - before):
            highest, lowest = _spread(highest, torch.maximum), _spread(lowest, torch.minimum)
        yield known & (highest != lowest + 1)


def _spread(values: Tensor, chosen: Callable[..., Tensor]) -> Tensor:
    """Each pixel takes what is chosen of its 3 x 3 surroundings."""
    for dim in (-2, -1):
        result, inner = values.clone(), values.shape[dim] - 1
        for to, start in ((1, 0), (0, 1)):
            place = result.narrow(dim, to, inner)
            chosen(place, values.narrow(dim, start, inner), out=place)
        values = result
    return values


def _by_channel(maps: Tensor, overlapping: bool) -> UInt8[Tensor, " k b h w"]:
    return maps.byte().transpose(0, 1) if overlapping else maps.byte()[None]
