"""The figure that ranks, epoch by epoch."""

from html import escape

from src.leaderboard.board import Board
from src.leaderboard.curve import Curve, curve
from src.leaderboard.page.drawing import Scale, columns, rows, scale, svg
from src.leaderboard.page.markup import COLORS, swatch, whose

_WIDTH, _HEIGHT, _LEFT, _TOP, _BELOW = 900, 340, 58, 12, 34  # pixels
_MOST = 60  # configurations
_POINTS = 120  # of a curve


def figure(board: Board) -> str:
    """The column of metrics.csv that stands for the board's metric: of a test score or a cost that is val/score."""
    return board.metric if board.metric.startswith("val/") else "val/score"


def curves(board: Board) -> str:
    """The mean of each configuration over its seeds, the best ones in colour and with a band."""
    found = {place: curve(c, figure(board)) for place, c in enumerate(board.configurations[:_MOST])}
    drawn = {place: _thinned(one) for place, one in found.items() if one and len(one.epochs) > 1}
    if not drawn:
        return ""
    x = scale([epoch for one in drawn.values() for epoch in one.epochs], _LEFT, _WIDTH - 10)
    y = scale([end for one in drawn.values() for end in _ends(one)], _HEIGHT - _BELOW, _TOP)
    parts = [columns(x, _TOP, _HEIGHT - _BELOW, above=False), rows(y, _LEFT, _WIDTH - 10)]
    parts += [_curve(board, place, drawn[place], x, y) for place in sorted(drawn, reverse=True)]
    parts.append(f'<text class="tick" x="{_WIDTH / 2}" y="{_HEIGHT - 2}">epoch</text>')
    return svg(_WIDTH, _HEIGHT, f"{figure(board)} by epoch", parts) + _legend(board, sorted(drawn))


def _ends(one: Curve) -> list[float]:
    return [mean + side * spread for mean, spread in zip(one.means, one.spreads, strict=True) for side in (-1, 1)]


def _curve(board: Board, place: int, one: Curve, x: Scale, y: Scale) -> str:
    points = [f"{x(epoch)},{y(mean)}" for epoch, mean in zip(one.epochs, one.means, strict=True)]
    band = ""
    if place < COLORS and any(one.spreads):
        upper = [f"{x(e)},{y(m + s)}" for e, m, s in zip(one.epochs, one.means, one.spreads, strict=True)]
        lower = [f"{x(e)},{y(m - s)}" for e, m, s in zip(one.epochs, one.means, one.spreads, strict=True)]
        band = f'<polygon class="band" points="{" ".join([*upper, *reversed(lower)])}"/>'
    kind = "curve" if place < COLORS else "curve faint"
    title = escape(board.name(board.configurations[place]))
    return (
        f'<g style="{swatch(place)}"{whose(place)}><title>{title}</title>{band}'
        f'<polyline class="{kind}" points="{" ".join(points)}"/></g>'
    )


def _legend(board: Board, places: list[int]) -> str:
    shown = [place for place in places if place < COLORS]
    items = "".join(
        f'<li{whose(place)}><span class="dot" style="{swatch(place)}"></span>'
        f"{escape(board.name(board.configurations[place]))}</li>"
        for place in shown
    )
    grey = f"<li>in grey: {len(places) - len(shown)} others</li>" if len(places) > len(shown) else ""
    return f'<ul class="legend">{items}{grey}</ul>'


def _thinned(one: Curve) -> Curve:
    step = -(-len(one.epochs) // _POINTS)
    keep = sorted({*range(0, len(one.epochs), step), len(one.epochs) - 1})
    return Curve([one.epochs[i] for i in keep], [one.means[i] for i in keep], [one.spreads[i] for i in keep])
