"""One line of the benchmark: what we take beside what somebody else takes for the same."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median, quantiles
from typing import Any


@dataclass(frozen=True)
class Row:
    """Figures of both sides, round by round; the ratio is the median of the rounds' own, so that a drift cancels."""

    part: str
    what: str
    peer: str
    theirs: Sequence[float] = ()  # a figure per round; empty where the peer cannot be had
    ours: Sequence[float] = ()  # as many
    unit: str = "ms"
    goal: float | None = None  # the ratio, ours by theirs, is to be at most this; None where nothing was promised
    least: bool = False  # the goal is what the ratio is to be at least
    spread: bool = False  # an excess that is smaller than the spread of the rounds counts as met
    more: dict[str, Any] = field(default_factory=dict)  # for the JSON: seconds on the clock, settings, ...
    missing: str = ""  # why there is no figure

    @property
    def ratios(self) -> list[float]:
        """Ours by theirs, a number per round."""
        return [ours / theirs for ours, theirs in zip(self.ours, self.theirs, strict=True)] if self.theirs else []

    @property
    def ratio(self) -> float | None:
        return median(self.ratios) if self.theirs else None

    @property
    def met(self) -> str:
        """`yes`, `no`, `yes (in the spread)`, or nothing where there is no goal or no figure."""
        if self.goal is None or self.ratio is None:
            return ""
        ratios = [-ratio for ratio in self.ratios] if self.least else self.ratios
        goal = -self.goal if self.least else self.goal
        if median(ratios) <= goal:
            return "yes"
        return "yes (in the spread)" if self.spread and lower_quartile(ratios) <= goal else "no"

    def plain(self) -> dict[str, Any]:
        """Everything, for the JSON."""
        return asdict(self) | {"ratio": self.ratio, "ratios": self.ratios, "met": self.met}


def lower_quartile(values: Sequence[float]) -> float:
    """The value that a quarter of the rounds is below."""
    return quantiles(values, n=4, method="inclusive")[0] if len(values) > 1 else values[0]
