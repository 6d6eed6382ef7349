"""Axes whose values were drawn, such as a learning rate in a search: the score at each of them."""

from html import escape

from src.leaderboard.board import Board
from src.leaderboard.number import number
from src.leaderboard.page.drawing import columns, rows, scale, svg
from src.leaderboard.page.markup import swatch, whose

_WIDTH, _HEIGHT, _LEFT, _TOP, _BELOW = 420, 260, 56, 10, 24  # pixels
_WIDE = 20  # how many times the smallest value the largest has to be for a logarithmic scale


def drawn(board: Board, names: list[str]) -> str:
    """A small drawing for each of these axes."""
    panels = [_panel(board, name) for name in names]
    return f'<div class="panels">{"".join(panels)}</div>' if panels else ""


def _panel(board: Board, name: str) -> str:
    points = {
        place: (float(c.axes[name]), value)
        for place, c in enumerate(board.configurations)
        if name in c.axes and (value := c.mean(board.metric)) is not None
    }
    at = [here for here, _ in points.values()]
    x = scale(at, _LEFT, _WIDTH - 12, log=min(at) > 0 and max(at) > _WIDE * min(at))
    y = scale([value for _, value in points.values()], _HEIGHT - _BELOW, _TOP)
    parts = [columns(x, _TOP, _HEIGHT - _BELOW, 5, above=False), rows(y, _LEFT, _WIDTH - 12, 5)]
    for place, (here, value) in sorted(points.items(), reverse=True):
        title = escape(f"{name}={here:.6g}: {number(value)}")
        parts.append(
            f'<g style="{swatch(place)}"{whose(place)}><title>{title}</title>'
            f'<circle class="point" cx="{x(here)}" cy="{y(value)}" r="5"/></g>'
        )
    head = f"<figcaption><b>{escape(name)}</b></figcaption>"
    return f"<figure>{head}{svg(_WIDTH, _HEIGHT, f'{board.metric} by {name}', parts, 'small')}</figure>"
