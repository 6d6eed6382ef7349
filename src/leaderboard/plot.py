"""Dots and error bars as inline SVG: a row per configuration, a dot per seed, a bar from mean - std to mean + std."""

import math
from html import escape

from src.leaderboard.board import Board
from src.leaderboard.configuration import Configuration
from src.leaderboard.number import number, with_spread

_ROW, _TOP, _LABEL, _WIDTH, _VALUE = 24, 30, 260, 440, 150  # pixels of the drawing
_MOST = 40  # rows


def plot(board: Board) -> str:
    """The best configurations by the board's metric; the empty string where none has it."""
    rows = [c for c in board.configurations if c.values(board.metric)][:_MOST]
    if not rows:
        return ""
    low, high = _range(rows, board.metric)
    height = _TOP + _ROW * len(rows) + 6
    size = f"{_LABEL + _WIDTH + _VALUE} {height}"
    drawn = [_axis(low, high, height)]
    drawn += [_row(board, c, _TOP + _ROW * index + _ROW / 2, low, high) for index, c in enumerate(rows)]
    label = escape(f"{board.metric} of each configuration", quote=True)
    return f'<svg viewBox="0 0 {size}" role="img" aria-label="{label}">{"".join(drawn)}</svg>'


def _range(rows: list[Configuration], metric: str) -> tuple[float, float]:
    ends = [value for c in rows for value in c.values(metric)]
    ends += [(c.mean(metric) or 0) + side * (c.spread(metric) or 0) for c in rows for side in (-1, 1)]
    margin = 0.05 * (max(ends) - min(ends)) or abs(max(ends)) * 0.1 or 0.1
    return min(ends) - margin, max(ends) + margin


def _axis(low: float, high: float, height: int) -> str:
    step = 10.0 ** math.floor(math.log10((high - low) / 2))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (factor * step) <= 6)
    ticks = [step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return "".join(
        f'<line class="grid" x1="{_x(tick, low, high)}" x2="{_x(tick, low, high)}" y1="{_TOP - 6}" y2="{height}"/>'
        f'<text class="tick" x="{_x(tick, low, high)}" y="{_TOP - 12}">{number(tick, like=high)}</text>'
        for tick in ticks
    )


def _row(board: Board, configuration: Configuration, y: float, low: float, high: float) -> str:
    values, mean = configuration.values(board.metric), configuration.mean(board.metric)
    spread = configuration.spread(board.metric)
    name = " ".join(configuration.axes.get(axis, "-") for axis in board.varying) or "all runs"
    short = name if len(name) <= 38 else f"{name[:37]}…"
    left, middle, right = (_x(mean + side * (spread or 0), low, high) for side in (-1, 0, 1))
    dots = "".join(f'<circle class="seed" cx="{_x(v, low, high)}" cy="{y}" r="3.5"/>' for v in values)
    return (
        f"<g><title>{escape(f'{name}: {with_spread(mean, spread)}, n = {len(values)}')}</title>"
        f'<text class="name" x="{_LABEL - 10}" y="{y + 4}">{escape(short)}</text>'
        f'<line class="bar" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>{dots}'
        f'<line class="mean" x1="{middle}" x2="{middle}" y1="{y - 7}" y2="{y + 7}"/>'
        f'<text class="value" x="{_LABEL + _WIDTH + 10}" y="{y + 4}">{with_spread(mean, spread)}</text></g>'
    )


def _x(value: float, low: float, high: float) -> float:
    return round(_LABEL + _WIDTH * (value - low) / (high - low), 1)
