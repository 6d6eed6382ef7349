"""Runs that differ in nothing but the seed, and what their figures are together."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import fmean, stdev

from src.leaderboard.run import Run
from src.leaderboard.statistic.confidence import half_width


@dataclass(frozen=True)
class Configuration:
    """A set of axes and its runs, one per seed."""

    axes: dict[str, str]
    runs: list[Run]

    def values(self, figure: str) -> list[float]:
        """The figure of each run that has it: a mean over fewer runs than there are is told by their number."""
        return [run.figures[figure] for run in self.runs if figure in run.figures]

    def mean(self, figure: str) -> float | None:
        """Over seeds; None where no run has the figure."""
        values = self.values(figure)
        return fmean(values) if values else None

    def spread(self, figure: str) -> float | None:
        """The sample standard deviation (n - 1 in the denominator) over seeds; None for fewer than two."""
        values = self.values(figure)
        return stdev(values) if len(values) > 1 else None

    def interval(self, figure: str) -> tuple[float, float] | None:
        """The ends of the mean's 95 % t interval over seeds; None for fewer than two."""
        values = self.values(figure)
        half = half_width(values)
        return None if half is None else (fmean(values) - half, fmean(values) + half)


def grouped(runs: Iterable[Run]) -> tuple[list[Configuration], list[Run]]:
    """Configurations in order of appearance, and the runs that do not count, each with its `trouble`.

    A seed that was run twice would make the spread look smaller than it is: the newest of the two counts.
    """
    runs = list(runs)
    newest: dict[tuple[object, ...], Run] = {}
    for run in sorted((run for run in runs if run.trouble is None), key=lambda run: run.written):
        newest[*sorted(run.axes.items()), run.seed] = run
    counted = {run.folder for run in newest.values()}
    left = [_superseded(run) for run in runs if run.folder not in counted]
    groups: dict[tuple[object, ...], list[Run]] = {}
    for run in runs:
        if run.folder in counted:
            groups.setdefault(tuple(sorted(run.axes.items())), []).append(run)
    return [Configuration(group[0].axes, group) for group in groups.values()], left


def _superseded(run: Run) -> Run:
    return run if run.trouble else replace(run, trouble=f"a newer run has the same axes and seed {run.seed}")
