"""The leaderboard: which axes vary, which figures are shown, and who is first."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from src.leaderboard.axis import following
from src.leaderboard.configuration import Configuration, grouped
from src.leaderboard.run import Run, found
from src.run.nearest import did_you_mean

UNSET = "-"  # an axis that a run does not have
_SHOWN = {"val": 3, "test": 1}  # the first figures of a suite, its headline first
_OF_A_CLASS = re.compile(r"(^|/)(iou|ap)/")  # what follows is a class's name


@dataclass(frozen=True)
class Board:
    """Configurations, best first by the mean of `metric`, with what is worth showing of them."""

    folder: Path
    metric: str
    configurations: list[Configuration]
    left: list[Run]  # out of the means, with the reason
    ascending: bool = False  # whether the smallest is the best

    def name(self, configuration: Configuration) -> str:
        """What sets it apart from the others, in one line."""
        return " ".join(configuration.axes.get(axis, UNSET) for axis in self.leading) or "all runs"

    @property
    def runs(self) -> list[Run]:
        return [run for configuration in self.configurations for run in configuration.runs]

    @cached_property
    def varying(self) -> list[str]:
        """The axes on which configurations differ, the groups of the config first."""
        names = dict.fromkeys(name for c in self.configurations for name in c.axes)
        return [name for name in names if len({c.axes.get(name) for c in self.configurations}) > 1]

    @cached_property
    def following(self) -> dict[str, str]:
        """The varying axes that another one decides, such as a head that goes with its decoder."""
        return following({name: [c.axes.get(name, UNSET) for c in self.configurations] for name in self.varying})

    @property
    def leading(self) -> list[str]:
        """The varying axes that no other one decides: enough to tell the configurations apart."""
        return [name for name in self.varying if name not in self.following]

    @property
    def constant(self) -> dict[str, str]:
        """The axes that are the same everywhere, and what all runs ran on."""
        varying = set(self.varying)
        axes = {name: value for c in self.configurations for name, value in c.axes.items() if name not in varying}
        return axes | {name: values[0] for name, values in self._facts().items() if len(values) == 1}

    @property
    def mixed(self) -> dict[str, str]:
        """What differs between runs without being an axis, such as the code's version or the device."""
        return {name: ", ".join(values) for name, values in self._facts().items() if len(values) > 1}

    def _facts(self) -> dict[str, list[str]]:
        axes = {name for c in self.configurations for name in c.axes}
        names = dict.fromkeys(name for run in self.runs for name in run.facts if name not in axes)
        return {name: sorted({run.facts.get(name, "-") for run in self.runs}) for name in names}

    @cached_property
    def figures(self) -> list[str]:
        """Every figure that some run has."""
        return list(dict.fromkeys(name for run in self.runs for name in run.figures))

    @property
    def shown(self) -> list[str]:
        """The few figures that a table has room for, the one that ranks first."""
        columns = [self.metric, "score"]
        for split, number in _SHOWN.items():
            columns += [name for name in self.figures if name.startswith(f"{split}/") and self._tells(name)][:number]
        return [name for name in dict.fromkeys([*columns, "seconds", "params"]) if name in self.figures]

    def _tells(self, name: str) -> bool:
        """Whether a figure is neither that of one class nor the score under another name."""
        if name.endswith("/score") or _OF_A_CLASS.search(name):
            return False
        return any(abs(run.figures.get(name, 0.0) - run.figures.get("score", 0.0)) > 1e-6 for run in self.runs)

    @property
    def classes(self) -> dict[str, dict[str, str]]:
        """By what is measured, such as `val/iou`, each class's figure by its name; of the split that ranks."""
        split = f"{self.metric.split('/')[0]}/" if "/" in self.metric else "val/"
        found: dict[str, dict[str, str]] = {}
        for name in self.figures:
            if name.startswith(split) and (match := _OF_A_CLASS.search(name)):
                found.setdefault(name[: match.end() - 1], {})[name[match.end() :]] = name
        return found


def board(folder: Path, metric: str = "score", ascending: bool = False) -> Board:
    """Read and rank the runs below a folder; a configuration without the metric comes last.

    Raises:
        ValueError: the folder is not there, holds no run, or no finished run has the metric.
    """
    if not folder.is_dir():
        raise ValueError(f"runs={folder}: there is no such folder")
    runs = found(folder)
    if not runs:
        raise ValueError(f"runs={folder}: no run in it; every run of src.train leaves a results.json in its folder")
    configurations, left = grouped(runs)
    known = {name for c in configurations for run in c.runs for name in run.figures}
    if configurations and metric not in known:
        near, choices = did_you_mean(metric, known), sorted(name for name in known if not _OF_A_CLASS.search(name))
        raise ValueError(f"metric={metric}: no finished run has it{near}; there are: {', '.join(choices)}")
    sign = 1 if ascending else -1

    def place(configuration: Configuration) -> tuple[bool, float]:
        mean = configuration.mean(metric)
        return mean is None, sign * (mean or 0.0)

    return Board(folder, metric, sorted(configurations, key=place), left, ascending)
