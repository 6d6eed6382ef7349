"""Whether a table that was made again says what the stored one says."""

import csv
from collections.abc import Mapping
from pathlib import Path

from src.leaderboard.number import number, with_spread

Row = Mapping[str, str]


def agreement(stored: Path, fresh: Path) -> list[str]:
    """A line for each arm: its first figure as stored and as it came out now, and whether their spreads meet.

    Both are files of `src.leaderboard.study.write_csv`; where the stored one is something else, or not there, nothing
    is said.
    """
    if not stored.is_file():
        return []
    before, now = _rows(stored), _rows(fresh)
    names = list(next(iter(now.values()), {}))
    if (
        not before
        or "n" not in names
        or list(next(iter(before.values())))[: names.index("n")] != names[: names.index("n")]
    ):
        return []
    figure = names[names.index("n") + 1]
    return [_line(" ".join(key), figure, before.get(key), row) for key, row in now.items()]


def _rows(file: Path) -> dict[tuple[str, ...], Row]:
    """By what stands before the column n."""
    with file.open(newline="", encoding="utf8") as stream:
        rows = list(csv.DictReader(stream))
    return {tuple(row[name] for name in list(row)[: list(row).index("n")]): row for row in rows if "n" in row}


def _line(arm: str, figure: str, before: Row | None, now: Row) -> str:
    mean, spread = _figures(now, figure)
    shown = f"{arm}: {figure} {with_spread(mean, spread)} now"
    if before is None or not before.get(figure):
        return f"{shown}, none stored"
    old, width = _figures(before, figure)
    room = (spread or 0.0) + (width or 0.0)
    if mean is None or old is None:
        return f"{shown}, {with_spread(old, width)} stored"
    apart = "the same" if abs(mean - old) < 1e-9 else "within the spreads" if abs(mean - old) <= room else "beyond them"
    return f"{shown}, {with_spread(old, width)} stored: {apart if apart != 'beyond them' else _far(mean - old)}"


def _figures(row: Row, figure: str) -> tuple[float | None, float | None]:
    texts = (row.get(figure), row.get(f"{figure} std"))
    mean, spread = (float(text) if text else None for text in texts)
    return mean, spread


def _far(difference: float) -> str:
    return f"{'higher' if difference > 0 else 'lower'} by {number(abs(difference))}, more than both spreads"
