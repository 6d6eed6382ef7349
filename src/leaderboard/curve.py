"""How a figure went from epoch to epoch: the mean of a configuration over its seeds."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, stdev

from src.leaderboard.configuration import Configuration
from src.leaderboard.history import column


@dataclass(frozen=True)
class Curve:
    """By epoch, counted from 1: the mean over runs and their sample standard deviation (0 for a single one)."""

    epochs: list[int]
    means: list[float]
    spreads: list[float]


def curve(configuration: Configuration, name: str) -> Curve | None:
    """Of a configuration's runs together; None where no run has the figure."""
    return together(column(run.folder / "metrics.csv", name) for run in configuration.runs)


def together(runs: Iterable[dict[int, float]]) -> Curve | None:
    """The mean of several runs, at the epochs that all of them have (any of them, where that is none); None of none."""
    having = [run for run in runs if run]
    epochs = sorted(set.intersection(*map(set, having)) or set.union(*map(set, having))) if having else []
    if not epochs:
        return None
    values = [[run[epoch] for run in having if epoch in run] for epoch in epochs]
    spreads = [stdev(here) if len(here) > 1 else 0.0 for here in values]
    return Curve([epoch + 1 for epoch in epochs], [fmean(here) for here in values], spreads)
