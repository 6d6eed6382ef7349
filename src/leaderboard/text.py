"""The leaderboard as a table for terminals and as CSV for other programs."""

import csv
import os
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.markup import escape
from rich.table import Table

from src.leaderboard.board import UNSET, Board
from src.leaderboard.configuration import Configuration
from src.leaderboard.number import number, with_spread


def figure(configuration: Configuration, name: str) -> str:
    """Mean and spread; with the number of runs where not all of them have the figure."""
    shown = with_spread(configuration.mean(name), configuration.spread(name))
    having = len(configuration.values(name))
    return f"{shown} (of {having})" if 0 < having < len(configuration.runs) else shown


def interval(configuration: Configuration, name: str) -> str:
    """The ends of the 95 % interval of the mean; "-" for one run."""
    ends, mean = configuration.interval(name), configuration.mean(name)
    return UNSET if ends is None else " to ".join(number(end, like=mean) for end in ends)


def heading(board: Board) -> str:
    """What the table shows, in one line."""
    counts = f"configurations: {len(board.configurations)}, runs: {len(board.runs)}"
    return (
        f"{counts}; by {board.metric}, best first; mean ± sample standard deviation (n - 1) over n seeds; "
        "95 %: the t interval of the mean, none for n = 1"
    )


def table(board: Board) -> Group:
    """Everything a terminal should show, for rich's print."""
    varying, shown = board.varying, board.shown
    rows = Table(box=None, pad_edge=False, header_style="bold")
    for name in varying:
        rows.add_column(escape(name))
    for name in ("n", *shown[:1], "95 %", *shown[1:]):
        rows.add_column(escape(name), justify="right")
    for configuration in board.configurations:
        cells = [configuration.axes.get(name, UNSET) for name in varying]
        figures = [figure(configuration, name) for name in shown]
        cells += [str(len(configuration.runs)), *figures[:1], interval(configuration, board.metric), *figures[1:]]
        rows.add_row(*map(escape, cells))
    parts: list[Any] = [escape(heading(board))]
    for title, facts in (("the same in all runs:", board.constant), ("no axis, and yet different:", board.mixed)):
        if facts:
            parts.append(f"[dim]{title} {escape('  '.join(f'{name}={value}' for name, value in facts.items()))}[/dim]")
    parts += ["", rows]
    if board.left:
        parts += ["", f"runs that do not count: {len(board.left)}"]
        parts += [escape(f"  {run.folder}\n    {run.trouble}") for run in board.left]
    return Group(*parts)


def write_text(board: Board, file: Path) -> None:
    """The same, never folded, as a text file."""
    with file.open("w", encoding="utf8") as stream:
        Console(file=stream, width=100_000, no_color=True, soft_wrap=True).print(table(board))


def write_configurations(board: Board, file: Path) -> None:
    """One row per configuration: its axes, n, and of every figure mean, spread, n and the ends of the 95 % interval."""
    axes, figures = _axes(board), board.figures
    parts = ("", " std", " n", " low", " high")
    header = [*axes, "n", *(f"{name}{part}" for name in figures for part in parts)]
    rows = [
        [*(c.axes.get(name) for name in axes), len(c.runs), *(part for name in figures for part in _parts(c, name))]
        for c in board.configurations
    ]
    _write(file, header, rows)


def write_runs(board: Board, file: Path) -> None:
    """One row per run, its folder relative to the one that was read; those that do not count have a `trouble`."""
    runs = [*board.runs, *board.left]
    axes = list(dict.fromkeys(name for run in runs for name in run.axes))
    figures = list(dict.fromkeys(name for run in runs for name in run.figures))
    rows = [
        [os.path.relpath(run.folder, board.folder), run.trouble, *(run.axes.get(name) for name in axes), run.seed]
        + [run.figures.get(name) for name in figures]
        for run in runs
    ]
    _write(file, ["folder", "trouble", *axes, "seed", *figures], rows)


def _parts(c: Configuration, name: str) -> tuple[float | int | None, ...]:
    return (c.mean(name), c.spread(name), len(c.values(name)), *(c.interval(name) or (None, None)))


def _axes(board: Board) -> list[str]:
    varying = board.varying
    return varying + [name for name in board.constant if any(name in c.axes for c in board.configurations)]


def _write(file: Path, header: list[str], rows: list[list[Any]]) -> None:
    with file.open("w", newline="", encoding="utf8") as stream:
        csv.writer(stream).writerows([header, *rows])
