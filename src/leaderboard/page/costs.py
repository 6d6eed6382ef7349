"""Score against cost, one small drawing for each kind of cost."""

from html import escape

from src.leaderboard.board import Board
from src.leaderboard.configuration import Configuration
from src.leaderboard.front import front
from src.leaderboard.number import number
from src.leaderboard.page.drawing import Scale, columns, rows, scale, svg
from src.leaderboard.page.markup import swatch, whose

_WIDTH, _HEIGHT, _LEFT, _TOP, _BELOW = 420, 260, 56, 10, 24  # pixels
_COSTS = {  # whether more of it is better
    "params": ("parameters", False),
    "flops_per_image": ("operations per image", False),
    "images_per_second": ("images per second, in training", True),
    "seconds": ("seconds of the whole run", False),
}


def costs(board: Board) -> str:
    """A drawing for each cost that differs between configurations."""
    drawn = [_panel(board, cost) for cost in _COSTS if cost != board.metric]
    return f'<div class="panels">{"".join(drawn)}</div>' if any(drawn) else ""


def _panel(board: Board, cost: str) -> str:
    points = {
        place: (price, value)
        for place, c in enumerate(board.configurations)
        if (price := c.mean(cost)) is not None and price > 0 and (value := c.mean(board.metric)) is not None
    }
    prices = [price for price, _ in points.values()]
    if len(points) < 2 or max(prices) < 1.02 * min(prices):
        return ""
    title, dear = _COSTS[cost]
    kept = front([board.configurations[place] for place in points], cost, board.metric, dear, board.ascending)
    x = scale(prices, _LEFT, _WIDTH - 12, log=True)
    y = scale([value for _, value in points.values()], _HEIGHT - _BELOW, _TOP)
    parts = [columns(x, _TOP, _HEIGHT - _BELOW, 5, above=False), rows(y, _LEFT, _WIDTH - 12, 5)]
    parts.append(f'<polyline class="front" points="{_steps(kept, cost, board.metric, x, y)}"/>')
    parts += [_point(board, place, point, kept, x, y) for place, point in sorted(points.items(), reverse=True)]
    told = ", ".join(escape(board.name(c)) for c in kept[:6]) + (f" and {len(kept) - 6} more" if len(kept) > 6 else "")
    return (
        f"<figure><figcaption><b>{title}</b> {'→ better' if dear else '← better'}</figcaption>"
        f"{svg(_WIDTH, _HEIGHT, f'{board.metric} against {title}', parts, 'small')}"
        f"<p>On the front: {told}.</p></figure>"
    )


def _steps(kept: list[Configuration], cost: str, score: str, x: Scale, y: Scale) -> str:
    """From one to the next at equal score: what lies between them, the cheaper one is at least as good as."""
    corners: list[tuple[float, float]] = []
    for c in kept:
        here = x(c.mean(cost) or x.low), y(c.mean(score) or 0.0)
        corners += [(here[0], corners[-1][1])] if corners else []
        corners.append(here)
    return " ".join(f"{left},{top}" for left, top in corners)


def _point(board: Board, place: int, point: tuple[float, float], kept: list[Configuration], x: Scale, y: Scale) -> str:
    c = board.configurations[place]
    title = escape(f"{board.name(c)}: {number(point[1])} at {number(point[0])}")
    kind = "point first" if any(c is one for one in kept) else "point"
    return (
        f'<g style="{swatch(place)}"{whose(place)}><title>{title}</title>'
        f'<circle class="{kind}" cx="{x(point[0])}" cy="{y(point[1])}" r="5"/></g>'
    )
