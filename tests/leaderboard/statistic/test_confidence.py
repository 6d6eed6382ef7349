import pytest
from scipy import stats

from src.leaderboard.statistic.confidence import half_width, margin, two_sided

VALUES = [0.41, 0.52, 0.47, 0.60]


@pytest.mark.parametrize("n", [2, 3, 4])
def test_the_interval_is_scipy_s(n: int) -> None:
    values = VALUES[:n]
    low, high = stats.t.interval(0.95, n - 1, loc=0, scale=stats.sem(values))
    assert half_width(values) == pytest.approx(high) == pytest.approx(-low)


def test_one_value_has_no_interval() -> None:
    assert half_width([0.4]) is None
    assert half_width([]) is None


def test_a_margin_and_a_p_value_are_each_other_s_inverse() -> None:
    assert two_sided(margin(1.0, 5), 5) == pytest.approx(0.05)
    assert two_sided(-2.0, 7) == pytest.approx(2 * stats.t.sf(2.0, 7))
