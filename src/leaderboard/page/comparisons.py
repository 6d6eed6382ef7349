"""Configurations against each other, seed by seed."""

from html import escape
from itertools import combinations

from src.leaderboard.board import Board
from src.leaderboard.page.effects import TOLD, cells
from src.leaderboard.page.markup import fold, name, row, table, whose
from src.leaderboard.statistic.comparison import Comparison, compared, holm

_ALL = 5  # configurations up to which every pair is asked about
_OPEN = 12  # rows that are shown at once


def comparisons(board: Board) -> str:
    """Every pair of a few, or the best against each other one; the empty string where there is nothing to compare."""
    places = [place for place, c in enumerate(board.configurations) if c.values(board.metric)]
    pairs = list(combinations(places, 2) if len(places) <= _ALL else ((places[0], other) for other in places[1:]))
    found = holm([_comparison(board, *pair) for pair in pairs])
    if all(one.p is None for one in found):
        return '<p class="soft">No two configurations have two seeds in common: too few to tell.</p>' if found else ""
    rows = [
        row([f"<td>{name(board, a)}</td><td>{name(board, b)}</td>", *cells(one)], whose(a, b))
        for (a, b), one in zip(pairs, found, strict=True)
    ]
    names = ["better", "than", *TOLD]
    more = fold(f"{len(rows) - _OPEN} more", table(names, rows[_OPEN:], "sortable", 2)) if len(rows) > _OPEN else ""
    return table(names, rows[:_OPEN], "sortable", 2) + more


def told(board: Board) -> str:
    """What the section says of itself."""
    few = len(board.configurations) <= _ALL
    which = "Every pair" if few else "The best, which these same runs chose, against each other one"
    return (
        f"{which}: the difference of {escape(board.metric)} at equal seeds. A paired t test decides, corrected by "
        "Holm for the number of rows; it takes differences over seeds as normal. The exact test of sign flips takes "
        "nothing as given, and cannot reach .05 with fewer than 6 pairs."
    )


def _comparison(board: Board, a: int, b: int) -> Comparison:
    first, second = board.configurations[a], board.configurations[b]
    of = [
        {run.seed: run.figures[board.metric] for run in c.runs if board.metric in run.figures} for c in (first, second)
    ]
    differences = [of[0][seed] - of[1][seed] for seed in of[0] if seed in of[1]]
    return compared(board.name(first), board.name(second), differences)
