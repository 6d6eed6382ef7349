"""The rows as a person reads them."""

from collections.abc import Sequence
from statistics import median

from rich.table import Table

from src.benchmark.row import Row

_COLORS = {"yes": "green", "yes (in the spread)": "green", "no": "red"}


def table(rows: Sequence[Row]) -> Table:
    """A line per row; figures are medians, the range is that of the ratio over all rounds."""
    shown = Table(title="ours beside the peers: medians of rounds, ratio = ours / peer")
    for name in ("part", "what", "peer"):
        shown.add_column(name, overflow="fold")
    for name in ("peer's", "ours", "unit", "ratio", "range", "goal", "met"):
        shown.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        shown.add_row(*cells(row), style=_COLORS.get(row.met, ""))
    return shown


def cells(row: Row) -> list[str]:
    """The texts of a row."""
    names = [row.part, row.what, row.peer]
    goal = "" if row.goal is None else f"{'≥' if row.least else '≤'} {row.goal:g}"
    if row.ratio is None:
        return [*names, row.missing or "–", f"{median(row.ours):.3g}" if row.ours else "", "", "", "", goal, ""]
    ends = f"{min(row.ratios):.2f}–{max(row.ratios):.2f}"
    figures = [f"{median(side):.4g}" for side in (row.theirs, row.ours)]
    return [*names, *figures, row.unit, f"{row.ratio:.3f}", ends, goal, row.met]
