"""The main effect of an axis: what each of its values scores on average over the same choices of all other axes."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from src.leaderboard.statistic.comparison import Comparison, compared, holm
from src.leaderboard.statistic.confidence import margin
from src.leaderboard.statistic.design import Cell, Design


@dataclass(frozen=True)
class Level:
    """A value of an axis: its marginal mean, half its 95 % interval, and the best level against it."""

    value: str
    mean: float
    half_width: float | None
    runs: int
    behind: Comparison | None  # the best level minus this one; None for the best itself


@dataclass(frozen=True)
class Effect:
    """Levels, best first, over the `contexts` (choices of the other axes) in which each of them was run.

    `left` are the values that are missing there. With no such context (`balanced` is false) the means are those of all
    runs, whatever else differs between them.
    """

    axis: str
    levels: list[Level]
    contexts: int
    of: int  # contexts that there are
    left: list[str]

    @property
    def balanced(self) -> bool:
        return self.contexts > 0

    @property
    def size(self) -> float:
        """From the worst level to the best."""
        means = [level.mean for level in self.levels]
        return max(means) - min(means)


def effects(found: Design, ascending: bool = False) -> list[Effect]:
    """The main effect of every factor, the largest first; `ascending` says that the smallest figure is the best.

    A marginal mean counts each context alike. Its interval is that of an analysis of variance: from the spread of
    seeds within the cells, pooled over all of them. Levels are compared in pairs of the same seed and the same context.
    """
    return sorted((_effect(found, factor, ascending) for factor in found.factors), key=lambda effect: -effect.size)


def _effect(found: Design, factor: str, ascending: bool) -> Effect:
    contexts = _contexts(found, factor)
    kept, shared = _complete(contexts, found.levels(factor))
    levels = kept or found.levels(factor)
    cells = {
        level: [contexts[place][level] for place in (shared or contexts) if level in contexts[place]]
        for level in levels
    }
    ranked = sorted(levels, key=lambda level: _mean(cells[level]) * (1 if ascending else -1))
    asked = [compared(ranked[0], level, _differences(cells[ranked[0]], cells[level])) for level in ranked[1:]]
    behind = [None, *(holm(asked) if shared else [None] * len(asked))]
    shown = [_level(found, level, cells[level], other) for level, other in zip(ranked, behind, strict=True)]
    left = [level for level in found.levels(factor) if level not in levels]
    return Effect(factor, shown, len(shared), len(contexts), left)


def _contexts(found: Design, factor: str) -> dict[tuple[str, ...], dict[str, Cell]]:
    others = [name for name in found.factors if name != factor]
    contexts: dict[tuple[str, ...], dict[str, Cell]] = {}
    for cell in found.cells:
        contexts.setdefault(tuple(cell.at[name] for name in others), {})[cell.at[factor]] = cell
    return contexts


def _complete(
    contexts: dict[tuple[str, ...], dict[str, Cell]], levels: list[str]
) -> tuple[list[str], list[tuple[str, ...]]]:
    """The levels, and the contexts that have all of them, that make the most cells; the rarest levels go first."""
    best: tuple[list[str], list[tuple[str, ...]]] = ([], [])
    levels = list(levels)
    while len(levels) > 1:
        shared = [place for place, row in contexts.items() if all(level in row for level in levels)]
        if len(levels) * len(shared) > len(best[0]) * len(best[1]):
            best = (list(levels), shared)
        levels.remove(min(levels, key=lambda level: sum(level in row for row in contexts.values())))
    return best


def _level(found: Design, value: str, cells: list[Cell], behind: Comparison | None) -> Level:
    error = None
    if found.spread is not None:
        error = found.spread * math.sqrt(math.fsum(1 / len(cell.values) for cell in cells)) / len(cells)
    half = None if error is None else margin(error, found.freedom)
    return Level(value, _mean(cells), half, sum(len(cell.values) for cell in cells), behind)


def _mean(cells: Iterable[Cell]) -> float:
    return fmean(cell.mean for cell in cells)


def _differences(first: list[Cell], second: list[Cell]) -> list[float]:
    """Of each pair of runs with the same seed in the same context: both lists are in the order of the contexts."""
    return [
        one.values[seed] - other.values[seed]
        for one, other in zip(first, second, strict=False)
        for seed in one.values
        if seed in other.values
    ]
