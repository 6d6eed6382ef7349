"""The single runs: those that count, and those that do not, with the last that they said."""

import time
from html import escape
from pathlib import Path

from src.leaderboard.board import Board
from src.leaderboard.command import command
from src.leaderboard.history import column
from src.leaderboard.number import counted, number
from src.leaderboard.page.markup import again, axes, cell, fold, link, row, table, whose
from src.leaderboard.run import Run

_OPEN = 10  # that are listed at once


def runs(board: Board, output: Path) -> str:
    """Every run that counts, with its figures and its folder."""
    rows = [
        row(
            [
                *axes(configuration, board.leading),
                cell(run.seed, "number"),
                *(cell(number(run.figures.get(name)), "number", run.figures.get(name, "")) for name in board.shown),
                f"<td>{link(run, output)}</td>",
            ],
            whose(place),
        )
        for place, configuration in enumerate(board.configurations)
        for run in configuration.runs
    ]
    names = [*board.leading, "seed", *board.shown, "folder"]
    return (
        fold(f"{counted(len(rows), 'run')} with figures and folder", table(names, rows, "sortable", len(board.leading)))
        if rows
        else ""
    )


def left(board: Board, output: Path) -> str:
    """The runs that do not count, each with the reason."""
    items = [_item(run, output) for run in board.left]
    more = items[_OPEN:]
    rest = fold(f"{len(more)} more", f"<ul class='left'>{''.join(more)}</ul>") if more else ""
    return f"<ul class='left'>{''.join(items[:_OPEN])}</ul>{rest}" if items else ""


def _item(run: Run, output: Path) -> str:
    words = again("command", command([run])) if run.axes else ""
    return f"<li>{link(run, output)}<br>{escape(run.trouble or '')}{escape(_reached(run))}{words}</li>"


def _reached(run: Run) -> str:
    """How far it came, and when it was last heard of."""
    table = run.folder / "metrics.csv"
    epochs = column(table, "train/loss") or column(table, "val/score")
    if not epochs:
        return ""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(table.stat().st_mtime))
    scores = column(table, "val/score")
    score = f", val/score {number(scores[max(scores)])}" if scores else ""
    return f" (epoch {max(epochs) + 1}{score}, {when})"
