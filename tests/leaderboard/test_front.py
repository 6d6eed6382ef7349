from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.leaderboard.configuration import Configuration
from src.leaderboard.front import front
from src.leaderboard.run import Run

PAIRS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12)


def configurations(pairs: list[tuple[int, int]]) -> list[Configuration]:
    runs = [
        Run(Path("run"), None, {"n": str(n)}, "0", {"cost": float(c), "score": float(s)})
        for n, (c, s) in enumerate(pairs)
    ]
    return [Configuration(run.axes, [run]) for run in runs]


@pytest.mark.parametrize("dear", [False, True])
@pytest.mark.parametrize("low", [False, True])
@given(pairs=PAIRS)
def test_on_the_front_are_those_that_no_other_one_beats(dear: bool, low: bool, pairs: list[tuple[int, int]]) -> None:
    side = [((-1 if dear else 1) * cost, (1 if low else -1) * score) for cost, score in pairs]
    beaten = [any(b[0] <= a[0] and b[1] <= a[1] and b != a for b in side) for a in side]
    kept = front(configurations(pairs), "cost", "score", dear, low)
    assert sorted(int(c.axes["n"]) for c in kept) == [n for n, lost in enumerate(beaten) if not lost]


def test_what_lacks_a_figure_is_not_on_it() -> None:
    some = configurations([(1, 1), (2, 2)])
    assert front(some, "seconds", "score", False, False) == []
