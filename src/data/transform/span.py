"""One axis of a view: which pixels of the source show up where in the output."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Span:
    """Along one axis, source pixels start..stop fill output pixels first..last; what lies outside is unknown."""

    source: int  # pixels there are
    start: int
    stop: int
    length: int  # pixels of the output
    first: int
    last: int
    mirrored: bool = False

    @classmethod
    def of(cls, source: int, window: int, start: int, length: int, mirrored: bool = False) -> "Span":
        """`length` output pixels show the `window` source pixels from `start` on, which may reach over both ends."""
        inside, beyond = max(start, 0), min(start + window, source)
        assert inside < beyond, f"a window of {window} from {start} on shows nothing of {source} pixels"
        first = min(round((inside - start) * length / window), length - 1)
        last = max(round((beyond - start) * length / window), first + 1)
        if mirrored:
            first, last = length - last, length - first
        return cls(source, inside, beyond, length, first, last, mirrored)

    @property
    def full(self) -> bool:
        """Whether nothing in the output is unknown."""
        return self.last - self.first == self.length

    def index(self) -> np.ndarray:
        """For output pixels first..last, the source pixel whose area holds the centre."""
        here, there = self.stop - self.start, self.last - self.first
        index = self.start + (2 * np.arange(there) + 1) * here // (2 * there)
        return index[::-1] if self.mirrored else index

    def line(self) -> tuple[float, float]:
        """(a, b) such that output coordinate i shows source coordinate a·i + b, both 0 at a first pixel's centre."""
        slope = (self.stop - self.start) / (self.last - self.first)
        if self.mirrored:
            return -slope, self.start + slope * (self.last - 0.5) - 0.5
        return slope, self.start - slope * (self.first - 0.5) - 0.5
