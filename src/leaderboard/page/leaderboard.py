"""The table of configurations, with the command that makes each again."""

from html import escape

from src.leaderboard.board import Board
from src.leaderboard.command import command
from src.leaderboard.configuration import Configuration
from src.leaderboard.page.markup import again, axes, cell, row, swatch, table, whose
from src.leaderboard.text import figure, interval


def leaderboard(board: Board) -> str:
    """One row per configuration, best first."""
    first, *others = board.shown or [board.metric]
    names = ["#", *board.leading, "n", first, "95 %", *others]
    rows = [_row(board, place, c, [first, *others]) for place, c in enumerate(board.configurations)]
    told = {
        "n": "runs, one for each seed",
        "95 %": "the t interval of the mean over seeds; none for a single one",
    }
    return table(names, rows, "sortable board", 1 + len(board.leading), told) if rows else ""


def _row(board: Board, place: int, configuration: Configuration, shown: list[str]) -> str:
    figures = [
        cell(figure(configuration, name), "number", _value(configuration, name), _seeds(configuration, name))
        for name in shown
    ]
    dot = f'<span class="dot" style="{swatch(place)}"></span>'
    rank = f'<td data-v="{place}">{dot}{again(str(place + 1), command(configuration.runs))}</td>'
    cells = [
        rank,
        *axes(configuration, board.leading),
        cell(str(len(configuration.runs)), "number"),
        figures[0],
        cell(interval(configuration, board.metric), "number soft", _low(configuration, board.metric)),
        *figures[1:],
    ]
    key = escape(board.name(configuration), quote=True)
    return row(cells, f'{whose(place)} data-key="{key}"')


def _value(configuration: Configuration, name: str) -> float | str:
    mean = configuration.mean(name)
    return "" if mean is None else mean


def _low(configuration: Configuration, name: str) -> float | str:
    ends = configuration.interval(name)
    return "" if ends is None else ends[0]


def _seeds(configuration: Configuration, name: str) -> str:
    having = [run for run in configuration.runs if name in run.figures]
    return ", ".join(f"seed {run.seed}: {run.figures[name]:.6g}" for run in having)
