"""Score against cost: who is beaten by nobody in both (Pareto, 1906)."""

from collections.abc import Sequence

from src.leaderboard.configuration import Configuration


def front(configurations: Sequence[Configuration], cost: str, score: str, dear: bool, low: bool) -> list[Configuration]:
    """Those of which none of the others is at least as good in both and better in one, the cheapest first.

    Args:
        configurations: those without one of the figures cannot be on the front.
        cost: the figure that is paid.
        score: the figure that is bought.
        dear: whether a larger cost is the better one, as in images per second.
        low: whether a smaller score is the better one, as in an error.
    """
    sign, side = (-1 if dear else 1), (1 if low else -1)
    points = [
        (sign * price, side * value, place)
        for place, c in enumerate(configurations)
        if (price := c.mean(cost)) is not None and (value := c.mean(score)) is not None
    ]
    kept: list[Configuration] = []
    best: tuple[float, float] | None = None
    for price, value, place in sorted(points):
        if best is None or value < best[1] or (price, value) == best:
            kept.append(configurations[place])
            best = (price, value)
    return kept
