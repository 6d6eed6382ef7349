"""Figures as people read them: four digits of a score, whole seconds, millions of parameters."""

_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"))


def number(value: float | None, like: float | None = None) -> str:
    """A figure with the digits its own size, or that of `like`, calls for; "-" for None."""
    if value is None:
        return "-"
    size = abs(value if like is None else like)
    for unit, letter in _UNITS:
        if size >= unit:
            return f"{value / unit:.2f}{letter}"
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.4f}"


def with_spread(mean: float | None, spread: float | None) -> str:
    """`0.4123 ± 0.0102`, or the mean alone where there is no spread (one run, or a count that all seeds share)."""
    if mean is None or spread is None or (spread == 0 and mean == int(mean)):
        return number(mean)
    return f"{number(mean)} ± {number(spread, like=mean)}"


def counted(number: int, what: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{number} {what}{'' if number == 1 else 's'}"
