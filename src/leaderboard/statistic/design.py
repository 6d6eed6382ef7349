"""What a sweep varied: the axes that lead, and the cells that they span."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, variance

from src.leaderboard.axis import scattered
from src.leaderboard.board import UNSET, Board
from src.leaderboard.configuration import Configuration


@dataclass(frozen=True)
class Cell:
    """The runs at one choice of every factor, as their figure by seed."""

    at: dict[str, str]
    values: dict[str, float]  # by seed

    @property
    def mean(self) -> float:
        return fmean(self.values.values())


@dataclass(frozen=True)
class Design:
    """Factors, in the order of the table, and their cells."""

    factors: list[str]
    cells: list[Cell]
    drawn: list[str]  # axes that are no factor: numbers that are not chosen from a few

    def levels(self, factor: str) -> list[str]:
        """Its values in order of appearance, the best configuration's first."""
        return list(dict.fromkeys(cell.at[factor] for cell in self.cells))

    @property
    def freedom(self) -> int:
        """Degrees of freedom of `spread`."""
        return sum(len(cell.values) - 1 for cell in self.cells)

    @property
    def spread(self) -> float | None:
        """The standard deviation over seeds within a cell, pooled over all cells; None where no cell has two runs."""
        squares = [variance(c.values.values()) * (len(c.values) - 1) for c in self.cells if len(c.values) > 1]
        return math.sqrt(math.fsum(squares) / self.freedom) if self.freedom else None


def design(board: Board) -> Design:
    """The design behind a board, by its metric; configurations without it are left out."""
    having = [c for c in board.configurations if c.values(board.metric)]
    at = {name: [c.axes.get(name, UNSET) for c in having] for name in board.leading}
    drawn = [name for name, values in at.items() if scattered(values)]
    factors = [name for name, values in at.items() if name not in drawn and len(set(values)) > 1]
    return Design(factors, _cells(having, factors, board.metric), drawn)


def _cells(configurations: Iterable[Configuration], factors: list[str], metric: str) -> list[Cell]:
    """Where drawn numbers differ within a cell, a seed stands for each configuration in it."""
    cells: dict[tuple[str, ...], Cell] = {}
    for number, configuration in enumerate(configurations):
        place = tuple(configuration.axes.get(name, UNSET) for name in factors)
        cell = cells.setdefault(place, Cell(dict(zip(factors, place, strict=True)), {}))
        for run in configuration.runs:
            if metric in run.figures:
                seed = run.seed if run.seed not in cell.values else f"{run.seed} of {number}"
                cell.values[seed] = run.figures[metric]
    return list(cells.values())
