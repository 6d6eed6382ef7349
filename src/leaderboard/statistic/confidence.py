"""How far a mean over few runs can be from the truth (Student, 1908)."""

import math
from collections.abc import Sequence
from statistics import stdev

LEVEL = 0.95


def half_width(values: Sequence[float]) -> float | None:
    """Half the 95 % t interval of the mean of independent values; None for fewer than two."""
    return margin(stdev(values) / math.sqrt(len(values)), len(values) - 1) if len(values) > 1 else None


def margin(error: float, freedom: int) -> float:
    """What a standard error becomes at 95 %, with so many degrees of freedom behind it."""
    from scipy.special import stdtrit  # here: --help and a misspelt option need not wait for it

    return error * float(stdtrit(freedom, (1 + LEVEL) / 2))


def two_sided(t: float, freedom: int) -> float:
    """How often Student's t is at least that far from 0."""
    from scipy.special import stdtr

    return 2 * float(stdtr(freedom, -abs(t)))
