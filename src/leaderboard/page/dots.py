"""A row per configuration: a dot per seed, a band of one sample standard deviation, and the mean's 95 % interval."""

from html import escape

from src.leaderboard.board import Board
from src.leaderboard.configuration import Configuration
from src.leaderboard.number import with_spread
from src.leaderboard.page.drawing import Scale, columns, scale, short, svg
from src.leaderboard.page.markup import whose
from src.leaderboard.text import interval

_ROW, _TOP, _LABEL, _WIDTH, _VALUE = 24, 30, 260, 440, 150  # pixels of the drawing
_MOST = 40  # rows


def dots(board: Board) -> str:
    """The best configurations by the board's metric; the empty string where none has it."""
    rows = [(place, c) for place, c in enumerate(board.configurations) if c.values(board.metric)]
    if not rows:
        return ""
    shown = rows[:_MOST]
    x = scale(_ends([c for _, c in shown], board.metric), _LABEL, _LABEL + _WIDTH)
    height = _TOP + _ROW * len(shown) + 6
    drawn = [columns(x, _TOP - 6, height)]
    drawn += [_row(board, place, c, _TOP + _ROW * (n + 0.5), x) for n, (place, c) in enumerate(shown)]
    more = f'<p class="told">The best {len(shown)} of {len(rows)}.</p>' if len(rows) > len(shown) else ""
    return svg(_LABEL + _WIDTH + _VALUE, height, f"{board.metric} of each configuration", drawn) + more


def _ends(rows: list[Configuration], metric: str) -> list[float]:
    """What has to be seen: dots and bands; of an interval, which two seeds make endless, what is near."""
    ends = [value for c in rows for value in c.values(metric)]
    ends += [(c.mean(metric) or 0.0) + side * (c.spread(metric) or 0.0) for c in rows for side in (-1, 1)]
    low, high = min(ends), max(ends)
    room = 0.4 * (high - low)
    far = [end for c in rows for end in c.interval(metric) or ()]
    return [*ends, *(min(max(end, low - room), high + room) for end in far)]


def _row(board: Board, place: int, c: Configuration, y: float, x: Scale) -> str:
    metric = board.metric
    mean, spread, values = c.mean(metric) or 0.0, c.spread(metric), c.values(metric)
    told = f"{board.name(c)}: {with_spread(mean, spread)}, n = {len(values)}, 95 %: {interval(c, metric)}"
    left, middle, right = (x(mean + side * (spread or 0.0)) for side in (-1, 0, 1))
    circles = "".join(f'<circle class="seed" cx="{x(value)}" cy="{y}" r="3.5"/>' for value in values)
    return (
        f"<g{whose(place)}><title>{escape(told)}</title>"
        f'<text class="name" x="{_LABEL - 10}" y="{y + 4}">{short(board.name(c))}</text>'
        f'<line class="bar" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>{_whisker(c.interval(metric), x, y)}{circles}'
        f'<line class="mean" x1="{middle}" x2="{middle}" y1="{y - 7}" y2="{y + 7}"/>'
        f'<text class="value" x="{_LABEL + _WIDTH + 10}" y="{y + 4}">{with_spread(mean, spread)}</text></g>'
    )


def _whisker(ends: tuple[float, float] | None, x: Scale, y: float) -> str:
    """An end that is not drawn has no bar across it."""
    if ends is None:
        return ""
    low, high = max(ends[0], x.low), min(ends[1], x.high)
    bars = "".join(f"M{x(end)} {y - 4}V{y + 4}" for end in ends if x.low <= end <= x.high)
    return f'<path class="whisker" d="M{x(low)} {y}H{x(high)}{bars}"/>'
