"""Scales and axes for inline SVG."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from src.leaderboard.number import number

Number = float | int  # of a figure or of pixels


@dataclass(frozen=True)
class Scale:
    """From figures to pixels: `low` lies at `start`, `high` at `end`; logarithmic if `log`."""

    low: Number
    high: Number
    start: Number
    end: Number
    log: bool = False

    def __call__(self, value: Number) -> float:
        """The pixel of a figure."""
        low, high, here = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        return round(self.start + (self.end - self.start) * (here - low) / (high - low), 1)

    def ticks(self, most: int = 6) -> list[float]:
        """Round figures from low to high."""
        return self._decades(most) if self.log else self._steps(most)

    def _steps(self, most: int) -> list[float]:
        step = 10.0 ** math.floor(math.log10((self.high - self.low) / 2))
        step *= next(factor for factor in (1, 2, 5, 10, 20) if (self.high - self.low) / (factor * step) <= most)
        return [step * n for n in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]

    def _decades(self, most: int) -> list[float]:
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for within in ((1, 2, 5), (1, 3), (1,)):
            found = [f * 10.0**p for p in powers for f in within if self.low <= f * 10.0**p <= self.high]
            if len(found) <= most:
                break
        return found if len(found) > 1 else Scale(self.low, self.high, 0, 1)._steps(most)


def scale(values: Iterable[Number], start: Number, end: Number, log: bool = False) -> Scale:
    """One that holds all values with a little room, which is some even where all are equal."""
    values = list(values)
    low, high = min(values), max(values)
    if log:
        room = (high / low) ** 0.06 if high > low else 1.3
        return Scale(low / room, high * room, start, end, log=True)
    room = 0.05 * (high - low) or abs(high) * 0.1 or 0.1
    return Scale(low - room, high + room, start, end)


def columns(x: Scale, top: Number, bottom: Number, most: int = 6, above: bool = True) -> str:
    """Vertical lines of the grid with their figures above or below."""
    label = top - 6 if above else bottom + 16
    return "".join(
        f'<line class="grid" x1="{x(tick)}" x2="{x(tick)}" y1="{top}" y2="{bottom}"/>'
        f'<text class="tick" x="{x(tick)}" y="{label}">{_tick(tick, x)}</text>'
        for tick in x.ticks(most)
    )


def rows(y: Scale, left: Number, right: Number, most: int = 6) -> str:
    """Horizontal lines of the grid with their figures on the left."""
    return "".join(
        f'<line class="grid" x1="{left}" x2="{right}" y1="{y(tick)}" y2="{y(tick)}"/>'
        f'<text class="side" x="{left - 6}" y="{y(tick) + 4}">{_tick(tick, y)}</text>'
        for tick in y.ticks(most)
    )


def svg(width: Number, height: Number, label: str, parts: Iterable[str], kind: str = "large") -> str:
    """The drawing; `label` is what a screen reader says."""
    return (
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(label, quote=True)}">{"".join(parts)}</svg>'
    )


def short(text: str, most: int = 38) -> str:
    """Text for a drawing, escaped, cut where there is no room for all of it."""
    return escape(text if len(text) <= most else f"{text[: most - 1]}…")


def _tick(value: Number, of: Scale) -> str:
    """With as few digits as tell it from its neighbours."""
    size = max(abs(of.low), abs(of.high))
    if size >= 1000 or (of.log and of.low >= 1):
        text = number(value)
        return text.replace(".00", "").replace(".0", "") if text[-1] in "TGM" else f"{value:,.10g}"
    return f"{value:.6g}" if abs(value) > 1e-12 * size else "0"
