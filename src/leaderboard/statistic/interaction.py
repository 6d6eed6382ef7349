"""What two axes do together that neither does alone (Fisher, 1935)."""

import math
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from src.leaderboard.statistic.design import Cell, Design


@dataclass(frozen=True)
class Interaction:
    """The mean at each pair of values, None where nothing was run.

    `size` is the root of the mean square of what is left of the table once the means of its rows and columns are taken
    out, `noise` what seeds alone would leave there on average, and `p` that of the F test. All three are None where the
    table has a hole.
    """

    rows: str
    columns: str
    means: dict[tuple[str, str], float | None]
    size: float | None
    noise: float | None
    p: float | None

    @property
    def row_levels(self) -> list[str]:
        return list(dict.fromkeys(row for row, _ in self.means))

    @property
    def column_levels(self) -> list[str]:
        return list(dict.fromkeys(column for _, column in self.means))


def interactions(found: Design) -> list[Interaction]:
    """Every pair of factors, the one with the largest interaction first, those with holes last."""
    pairs = [_interaction(found, rows, columns) for rows, columns in combinations(found.factors, 2)]
    return sorted(pairs, key=lambda pair: -1.0 if pair.size is None else pair.size, reverse=True)


def _interaction(found: Design, rows: str, columns: str) -> Interaction:
    tables: dict[tuple[str, ...], dict[tuple[str, str], Cell]] = {}
    others = [name for name in found.factors if name not in (rows, columns)]
    for cell in found.cells:
        context = tuple(cell.at[name] for name in others)
        tables.setdefault(context, {})[cell.at[rows], cell.at[columns]] = cell
    places = [(row, column) for row in found.levels(rows) for column in found.levels(columns)]
    whole = [table for table in tables.values() if len(table) == len(places)]
    cells = {place: [table[place] for table in (whole or tables.values()) if place in table] for place in places}
    means = {place: fmean(cell.mean for cell in here) if here else None for place, here in cells.items()}
    if not whole:
        return Interaction(rows, columns, means, None, None, None)
    size = _size(means, found.levels(rows), found.levels(columns))
    return Interaction(rows, columns, means, size, *_noise(found, cells, size))


def _size(means: dict[tuple[str, str], float | None], rows: list[str], columns: list[str]) -> float:
    by_row = {row: fmean(means[row, column] for column in columns) for row in rows}
    by_column = {column: fmean(means[row, column] for row in rows) for column in columns}
    whole = fmean(by_row.values())
    rest = [means[row, column] - by_row[row] - by_column[column] + whole for row in rows for column in columns]
    return math.sqrt(fmean(value * value for value in rest))


def _noise(found: Design, cells: dict[tuple[str, str], list[Cell]], size: float) -> tuple[float | None, float | None]:
    """What seeds alone would leave, and how often they would leave as much as there is."""
    if not found.spread:
        return (None, None) if found.spread is None else (0.0, 0.0 if size else 1.0)
    from scipy.special import fdtrc

    # of a cell's mean over its contexts, on average over the cells
    variance = fmean(
        found.spread**2 * math.fsum(1 / len(cell.values) for cell in here) / len(here) ** 2 for here in cells.values()
    )
    rows, columns = (len(set(names)) for names in zip(*cells, strict=True))
    share = (rows - 1) * (columns - 1) / (rows * columns)
    f = size**2 / (variance * share)
    return math.sqrt(variance * share), float(fdtrc((rows - 1) * (columns - 1), found.freedom, f))
