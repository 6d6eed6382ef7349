"""Two axes at a time, as coloured tables."""

from html import escape

from src.leaderboard.number import number
from src.leaderboard.page.markup import fold
from src.leaderboard.statistic.interaction import Interaction

_OPEN, _MOST = 3, 10  # pairs that are shown, at once and on a click


def interactions(found: list[Interaction]) -> str:
    """The pairs that do most together, and the next ones folded."""
    drawn = [_heat(pair) for pair in found[:_MOST]]
    rest = fold(f"{len(drawn) - _OPEN} more pairs", "".join(drawn[_OPEN:])) if len(drawn) > _OPEN else ""
    return f'<div class="heats">{"".join(drawn[:_OPEN])}</div>{rest}' if drawn else ""


def _heat(pair: Interaction) -> str:
    known = [mean for mean in pair.means.values() if mean is not None]
    low, high = min(known), max(known)
    head = "".join(f"<th class=number>{escape(column)}</th>" for column in pair.column_levels)
    body = "".join(
        f"<tr><th>{escape(row)}</th>"
        + "".join(_cell(pair.means[row, column], low, high) for column in pair.column_levels)
        + "</tr>"
        for row in pair.row_levels
    )
    title = f"{escape(pair.rows)} × {escape(pair.columns)}"
    return (
        f'<figure><figcaption><b>{title}</b><br>{escape(_said(pair))}</figcaption><div class="wide">'
        f'<table class="heat"><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table></div></figure>'
    )


def _cell(mean: float | None, low: float, high: float) -> str:
    if mean is None:
        return '<td class="number soft">-</td>'
    share = 100 if high == low else round(100 * (mean - low) / (high - low))
    return f'<td class="number shade" style="--share:{share}%">{number(mean)}</td>'


def _said(pair: Interaction) -> str:
    if pair.size is None:
        return "not every pair was run, so what they do together cannot be told"
    if pair.noise is None:
        return f"together ± {pair.size:.4f}; one run a cell, so chance cannot be told from it"
    p = pair.p or 0.0
    verdict = "more than seeds explain" if p < 0.05 else "no more than seeds explain"
    told = "< .0001" if p < 0.0001 else f"= {p:.4f}"
    return f"together ± {pair.size:.4f}, seeds alone leave ± {pair.noise:.4f}: {verdict} (F test, p {told})"
