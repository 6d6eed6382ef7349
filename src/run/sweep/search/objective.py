"""What a search looks for: figures of results.json, and whether more or less of them is better."""

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from src.run.nearest import did_you_mean

_UP = ("score", "images_per_second")
_DOWN = ("params", "seconds", "flops_per_image", "total_flops")


def directions(objectives: Sequence[str]) -> list[str]:
    """Optuna's word for each.

    Args:
        objectives: score, images_per_second, params, seconds, flops_per_image, total_flops, or val/NAME, of which more
            is better unless it is written -val/NAME.

    Raises:
        ValueError: there is no such figure, or it must not be looked at.
    """
    if not objectives:
        raise ValueError("sweep.objectives=[]: name one at least, such as score")
    for name in map(_bare, objectives):
        if name.startswith("test/"):
            raise ValueError(
                f"sweep.objectives: {name} is of the test split, which is never used for a choice; say val/"
            )
        if name not in (*_UP, *_DOWN) and not name.startswith("val/"):
            there = f"{', '.join((*_UP, *_DOWN))} and val/NAME"
            raise ValueError(f"sweep.objectives: there are {there}, no {name!r}{did_you_mean(name, (*_UP, *_DOWN))}")
    if len(set(map(_bare, objectives))) < len(objectives):
        raise ValueError(f"sweep.objectives={list(objectives)}: each once")
    return ["minimize" if name[0] == "-" or name in _DOWN else "maximize" for name in objectives]


def figures(objectives: Sequence[str], runs: Sequence[Mapping[str, Any]]) -> list[float]:
    """The median over runs of each objective.

    Args:
        runs: what results.json holds, of each seed.

    Raises:
        ValueError: one of them does not have it.
    """
    return [median(_figure(_bare(name), run) for run in runs) for name in objectives]


def _bare(name: str) -> str:
    return name.removeprefix("-")


def _figure(name: str, run: Mapping[str, Any]) -> float:
    split, _, key = name.partition("/")
    found = (run.get(split) or {}).get(key) if key else run.get(name)
    if not isinstance(found, int | float) or not math.isfinite(found):
        raise ValueError(f"its results.json has no {name}")
    return float(found)
