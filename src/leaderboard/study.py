"""A study: one line for each of its arms, told apart by a few axes, with a few figures."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from src.leaderboard.board import UNSET, Board
from src.leaderboard.configuration import Configuration
from src.leaderboard.text import figure
from src.run.folder import write
from src.run.nearest import did_you_mean


@dataclass(frozen=True)
class Study:
    """Arms, best first; `axes` are what they are called by and `columns` what is said of them."""

    board: Board
    axes: list[str]
    columns: list[str]
    arms: list[Configuration]

    def name(self, arm: Configuration) -> str:
        """What an arm is called in a picture."""
        return " ".join(arm.axes[axis] for axis in self.axes)


def study(board: Board, axes: Sequence[str], columns: Sequence[str] = ()) -> Study:
    """The configurations of a board by some of their axes.

    Args:
        axes: that tell the arms apart; an arm may differ from another in more, such as the head that goes with it.
        columns: figures, `val/` left out if you like; none shows those of the leaderboard.

    Raises:
        ValueError: no run has such an axis or figure, or runs that are more than seeds of each other would be one arm.
    """
    if not board.configurations:
        raise ValueError(f"runs={board.folder}: none of them is finished, a study needs results")
    known = list(dict.fromkeys(name for c in board.configurations for name in c.axes))
    for axis in axes:
        if axis not in known:
            raise ValueError(f"axes={axis}: no run has it{did_you_mean(axis, known)}; there are: {', '.join(known)}")
    arms: dict[tuple[str, ...], Configuration] = {}
    for configuration in board.configurations:
        named = {axis: configuration.axes.get(axis, UNSET) for axis in axes}
        arm = arms.setdefault(tuple(named.values()), replace(configuration, axes=named))
        if arm.runs is not configuration.runs:
            _refuse(named, arm.runs[0].axes, configuration.axes)
    return Study(board, list(axes), [_figure(name, board) for name in columns] or board.shown, list(arms.values()))


def write_markdown(found: Study, file: Path) -> None:
    """A table for a document, with what all runs have in common above it."""
    facts = [f"{name}={value}" for name, value in (found.board.constant | found.board.mixed).items()]
    header = [*(f"`{axis}`" for axis in found.axes), "n", *(f"`{name}`" for name in found.columns)]
    rule = [":--"] * len(found.axes) + ["--:"] * (1 + len(found.columns))
    rows = [
        [*arm.axes.values(), str(len(arm.runs)), *(figure(arm, name) for name in found.columns)] for arm in found.arms
    ]
    told = f"Mean ± sample standard deviation over n seeds, best `{found.board.metric}` first. {', '.join(facts)}."
    write(file, "\n".join([told, "", *(f"| {' | '.join(cells)} |" for cells in (header, rule, *rows))]) + "\n")


def write_csv(found: Study, file: Path) -> None:
    """The same figures unrounded, each with its spread and the number of runs that have it."""
    header = [*found.axes, "n", *(f"{name}{part}" for name in found.columns for part in ("", " std", " n"))]
    rows = [
        [*arm.axes.values(), len(arm.runs)]
        + [part for name in found.columns for part in (arm.mean(name), arm.spread(name), len(arm.values(name)))]
        for arm in found.arms
    ]
    with file.open("w", newline="", encoding="utf8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *rows])


def _figure(name: str, board: Board) -> str:
    for full in (name, f"val/{name}"):
        if full in board.figures:
            return full
    choices = [figure for figure in board.figures if "iou/" not in figure]
    near = did_you_mean(name, [*choices, *(figure.removeprefix("val/") for figure in choices)])
    raise ValueError(f"columns={name}: no finished run has it{near}; there are: {', '.join(choices)}")


def _refuse(named: dict[str, str], one: dict[str, str], other: dict[str, str]) -> None:
    differing = [axis for axis in dict.fromkeys([*one, *other]) if one.get(axis) != other.get(axis)]
    arm = ", ".join(f"{axis}={value}" for axis, value in named.items()) or "axes=[]"
    raise ValueError(
        f"{arm}: its runs differ in more than the seed, in {', '.join(differing)}: add one of these to axes=, or give "
        "runs= that are of one study"
    )
