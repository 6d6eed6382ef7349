"""Which pixels of the image reach the cells of a tensor."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from jaxtyping import Int
from torch import Tensor

from src.run.profile.span import Span, chained, joined


@dataclass(frozen=True)
class Reach:
    """A span for each row and each column; the pixels of a cell are the box of its row's and its column's.

    `axes` are the places of rows and columns among the tensor's, counted from its end.
    """

    rows: Span
    columns: Span
    axes: tuple[int, int] = (-2, -1)
    folded: tuple[int, ...] | None = None  # where all axes but the channels' were merged into one: their sizes before
    pooling: tuple[tuple[int, int], ...] | None = None  # of indices: kernel, stride and padding that made them

    @classmethod
    def of_image(cls, side: int) -> "Reach":
        """Of a square image itself."""
        return cls(Span.pixels(side), Span.pixels(side))

    def spans(self) -> tuple[Span, Span]:
        return self.rows, self.columns

    def span(self, axis: int) -> Span:
        return self.rows if axis == self.axes[0] else self.columns

    def of(self, rows: Span, columns: Span) -> "Reach":
        """Other spans along the same axes."""
        return replace(self, rows=rows, columns=columns)

    def along(self, axis: int, span: Span) -> "Reach":
        """Another span along one of the axes."""
        return replace(self, rows=span) if axis == self.axes[0] else replace(self, columns=span)

    def moved(self, axes: Sequence[int]) -> "Reach":
        """Rows and columns elsewhere."""
        return replace(self, axes=(axes[0], axes[1]))

    def without(self, gone: AbstractSet[int]) -> "Reach":
        """After other axes were dropped."""
        return self.moved([axis + sum(axis < place for place in gone) for axis in self.axes])

    def fitted(self, shape: Sequence[int]) -> "Reach":
        """As broadcast to this shape."""
        return self.of(*(span.broadcast(shape[axis]) for span, axis in zip(self.spans(), self.axes, strict=True)))

    def written(self, cells: Sequence[Int[Tensor, " _"]], reach: "Reach") -> "Reach":
        """With what was written to these rows and columns."""
        pairs = zip(self.spans(), cells, reach.spans(), strict=True)
        return self.of(*(span.written(where, new) for span, where, new in pairs))


def union(reaches: Sequence[Reach]) -> Reach:
    """Of cells that depend on one of each of these maps, whose axes agree."""
    return reaches[0].of(joined([reach.rows for reach in reaches]), joined([reach.columns for reach in reaches]))


def strung(reaches: Sequence[Reach], axis: int) -> Reach:
    """Of maps one behind the other along an axis; across it, all are taken to reach as far as any."""
    across = union([reach.along(axis, reaches[0].span(axis)) for reach in reaches])
    return across.along(axis, chained([reach.span(axis) for reach in reaches]))
