"""A report that is kept fresh while its runs go on."""

import time
from collections.abc import Callable
from pathlib import Path

from src.leaderboard.board import Board
from src.leaderboard.number import counted
from src.leaderboard.run import folders
from src.leaderboard.text import figure

_TOLD = ("results.json", "metrics.csv", "log.txt", "pictures/val.png")

State = frozenset[tuple[str, int, int]]


def watch(runs: Path, every: int, made: Callable[[bool], Board]) -> None:
    """Make the report whenever a run has written something, and say where the runs are, until Ctrl-C.

    Args:
        runs: the folder below which every run counts; it may still be empty.
        every: seconds between two looks.
        made: writes the report; true asks for a page that reloads itself, false, at the end, for one that stays.

    Raises:
        ValueError: there is no such folder, or no time between two looks.
    """
    if every < 1:
        raise ValueError(f"every={every}: expected at least 1 second")
    if not runs.is_dir():
        raise ValueError(f"runs={runs}: there is no such folder to watch; start the sweep first, or mend the path")
    before: State | None = None
    try:
        while True:
            if (now := state(runs)) != before:
                print(f"{time.strftime('%H:%M:%S')}  {_line(made(True)) if now else 'no run yet'}", flush=True)
            before = now
            time.sleep(every)
    except KeyboardInterrupt:
        if before:
            made(False)


def state(top: Path) -> State:
    """File, time and size of all that a report is made of: nothing is opened."""
    return frozenset(seen for folder in folders(top) for name in _TOLD if (seen := _seen(folder / name)))


def _seen(file: Path) -> tuple[str, int, int] | None:
    try:
        found = file.stat()
    except OSError:  # not there, or gone again
        return None
    return str(file), found.st_mtime_ns, found.st_size


def _line(ranked: Board) -> str:
    """Where a sweep is."""
    others = f", {len(ranked.left)} not finished" if ranked.left else ""
    best = next((c for c in ranked.configurations if c.mean(ranked.metric) is not None), None)
    first = "" if best is None else f"; first is {ranked.name(best)} with {figure(best, ranked.metric)}"
    return f"{counted(len(ranked.runs), 'run')} finished{others}{first}"
