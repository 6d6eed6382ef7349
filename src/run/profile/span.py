"""Which pixels of the image reach the cells of a map, along one axis."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

_NONE = 2**40  # beyond any image: the first pixel of a cell that none reaches; its negative is the last


@dataclass(frozen=True)
class Span:
    """The first and the last pixel that each cell depends on; a cell that no pixel reaches has none."""

    first: Int[Tensor, " n"]
    last: Int[Tensor, " n"]

    @classmethod
    def pixels(cls, count: int) -> "Span":
        """Of the image itself."""
        return cls(torch.arange(count), torch.arange(count))

    @classmethod
    def constant(cls, count: int) -> "Span":
        """Of cells that no pixel reaches."""
        return cls(torch.full((count,), _NONE), torch.full((count,), -_NONE))

    def __len__(self) -> int:
        return len(self.first)

    def at(self, cells: Int[Tensor, " m"]) -> "Span":
        """Of these cells, in this order."""
        return Span(self.first[cells], self.last[cells])

    def over(self, cells: Int[Tensor, " k m"]) -> "Span":
        """Of m cells that each see k of these; what lies outside is padding, which no pixel reaches."""
        cells = torch.where((cells >= 0) & (cells < len(self)), cells, len(self))
        end = Span.constant(1)
        first, last = (torch.cat(pair) for pair in ((self.first, end.first), (self.last, end.last)))
        return Span(first[cells].amin(0), last[cells].amax(0))

    def window(self, kernel: int, stride: int, padding: int, dilation: int, cells: int) -> "Span":
        """After a convolution or a pooling that gives so many cells."""
        taps = dilation * torch.arange(kernel) - padding
        return self.over(taps[:, None] + stride * torch.arange(cells))

    def spread(self, kernel: int, stride: int, padding: int, dilation: int, cells: int) -> "Span":
        """After a transposed convolution that gives so many cells."""
        places = torch.arange(cells) + padding - dilation * torch.arange(kernel)[:, None]
        return self.over(torch.where(places % stride == 0, places // stride, -1))

    def stretched(self, ratio: float, cells: int, corners: bool = False) -> "Span":
        """After a bilinear interpolation whose steps are `ratio` old cells wide; `corners`: those of the ends meet."""
        places = torch.arange(cells, dtype=torch.float64)
        places = places * ratio if corners else ((places + 0.5) * ratio - 0.5).clamp(min=0)
        below = (places + 1e-9).floor().long()
        above = torch.where(places - below > 1e-9, below + 1, below)
        return self.over(torch.stack([below, above]).clamp(max=len(self) - 1))

    def sampled(self, ratio: float, cells: int) -> "Span":
        """After taking the nearest: cell i is the old cell i·ratio, rounded down."""
        places = (torch.arange(cells, dtype=torch.float64) * ratio + 1e-9).floor().long()
        return self.at(places.clamp(max=len(self) - 1))

    def divided(self, cells: int) -> "Span":
        """After an adaptive pooling to so many cells."""
        starts = torch.arange(cells) * len(self) // cells
        stops = -(-(torch.arange(cells) + 1) * len(self) // cells)
        taps = torch.arange(int((stops - starts).max()))[:, None]
        return self.over(torch.where(starts + taps < stops, starts + taps, -1))

    def padded(self, before: int, after: int) -> "Span":
        """With so many more cells that no pixel reaches at its ends; negative ones cut cells off."""
        return self.over(torch.arange(-before, len(self) + after)[None])

    def broadcast(self, cells: int) -> "Span":
        """The only cell so many times, where there are that many."""
        return self if len(self) == cells else self.at(torch.zeros(cells, dtype=torch.long))

    def written(self, cells: Int[Tensor, " m"], span: "Span") -> "Span":
        """With what `span` has added to these cells."""
        first, last = self.first.clone(), self.last.clone()
        first[cells] = torch.minimum(first[cells], span.first)
        last[cells] = torch.maximum(last[cells], span.last)
        return Span(first, last)


def joined(spans: Sequence[Span]) -> Span:
    """Of cells that depend on a cell of each of these."""
    return Span(torch.stack([s.first for s in spans]).amin(0), torch.stack([s.last for s in spans]).amax(0))


def chained(spans: Sequence[Span]) -> Span:
    """One behind the other."""
    return Span(torch.cat([s.first for s in spans]), torch.cat([s.last for s in spans]))
