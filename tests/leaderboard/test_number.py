import pytest

from src.leaderboard.number import counted, number, with_spread


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.41234, "0.4123"), (12.34, "12.3"), (1234.5, "1,234"), (14.3e6, "14.30M"), (2.5e9, "2.50G"), (None, "-")],
)
def test_number(value: float | None, text: str) -> None:
    assert number(value) == text


def test_a_spread_has_the_digits_of_its_mean() -> None:
    assert with_spread(204.0, 7.6) == "204 ± 8"
    assert with_spread(0.5, 0.01234) == "0.5000 ± 0.0123"
    assert with_spread(0.5, None) == "0.5000"


def test_a_count_that_all_seeds_share_has_no_spread_to_show_but_a_score_has() -> None:
    assert with_spread(14_300_000.0, 0.0) == "14.30M"
    assert with_spread(0.5, 0.0) == "0.5000 ± 0.0000"


def test_counted() -> None:
    assert [counted(n, "run") for n in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]
