"""Whether one thing is better than another, from the differences of runs that are alike in all else.

The paired t test (Student, 1908) decides, with Holm's correction (Holm, 1979) where several are asked about; beside it
stands the exact test of sign flips (Fisher, 1935), which supposes nothing but that either sign is as likely.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

from src.leaderboard.statistic.confidence import half_width, two_sided

_EXACT = 16  # pairs up to which every flip is tried
_DRAWN = 1 << _EXACT  # flips drawn beyond that
_ALPHA = 0.05


@dataclass(frozen=True)
class Comparison:
    """The differences `first` - `second`, one for each pair; `p` is the t test's, corrected once `holm` has seen it."""

    first: str
    second: str
    differences: tuple[float, ...]
    p: float | None  # None for fewer than two pairs

    @property
    def mean(self) -> float | None:
        return fmean(self.differences) if self.differences else None

    @property
    def half_width(self) -> float | None:
        """Of the 95 % t interval around the mean."""
        return half_width(self.differences)

    @property
    def least(self) -> float:
        """The smallest p that sign flips can reach with so many pairs."""
        return 2.0 ** (1 - len(self.differences))

    @property
    def verdict(self) -> str:
        """In words: `told apart`, `not told apart`, or that there are too few pairs for a test."""
        if self.p is None:
            return "too few seeds to tell"
        return "told apart" if self.p < _ALPHA else "not told apart"


def compared(first: str, second: str, differences: Sequence[float]) -> Comparison:
    """The comparison by itself, as if nothing else were asked."""
    return Comparison(first, second, tuple(differences), _paired(differences))


def holm(asked: Sequence[Comparison]) -> list[Comparison]:
    """The same with p corrected, so that a false alarm anywhere among them is as rare as in one alone."""
    order = sorted((i for i, one in enumerate(asked) if one.p is not None), key=lambda i: asked[i].p)
    corrected, highest = list(asked), 0.0
    for place, i in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - place) * asked[i].p))
        corrected[i] = replace(asked[i], p=highest)
    return corrected


def flips(differences: Sequence[float]) -> float | None:
    """The share of all ways to flip signs that bring the sum at least as far from 0; drawn beyond 16 pairs."""
    import numpy as np

    if not differences:
        return None
    values, total = np.asarray(differences), abs(math.fsum(differences))
    slack = 1e-9 * float(np.abs(values).sum())  # what rounding may take from a sum that is equal
    if len(values) > _EXACT:
        signs = np.random.default_rng(0).integers(0, 2, (_DRAWN, len(values)), np.int8) * 2 - 1
        return (1 + int((np.abs(signs @ values) >= total - slack).sum())) / (1 + _DRAWN)
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return float((np.abs(sums) >= total - slack).mean())


def _paired(differences: Sequence[float]) -> float | None:
    if len(differences) < 2:
        return None
    mean, spread = fmean(differences), stdev(differences)
    if spread == 0:
        return 1.0 if mean == 0 else 0.0
    return two_sided(mean / (spread / math.sqrt(len(differences))), len(differences) - 1)
