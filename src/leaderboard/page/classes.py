"""The figures of each class."""

from html import escape

from src.leaderboard.board import Board
from src.leaderboard.configuration import Configuration
from src.leaderboard.number import number
from src.leaderboard.page.markup import axes, row, table, whose


def classes(board: Board) -> str:
    """A table for each thing that is measured by class, such as IoU, or AP of masks and of boxes."""
    found = {kind: keys for kind, keys in board.classes.items() if len(keys) > 1}
    return "".join(f"<h3>{escape(kind)}</h3>{_table(board, keys)}" for kind, keys in found.items())


def _table(board: Board, keys: dict[str, str]) -> str:
    rows = [
        row([*axes(c, board.leading), *(_shaded(c, key) for key in keys.values())], whose(place))
        for place, c in enumerate(board.configurations)
    ]
    return table([*board.leading, *keys], rows, "sortable", len(board.leading))


def _shaded(configuration: Configuration, key: str) -> str:
    value = configuration.mean(key)
    share = 0 if value is None else round(100 * min(max(value, 0), 1))
    sort = "" if value is None else value
    return f'<td class="number shade" style="--share:{share}%" data-v="{sort}">{number(value)}</td>'
