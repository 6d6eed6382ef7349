import numpy as np
import pytest
from scipy import stats

from src.leaderboard.statistic.comparison import Comparison, compared, flips, holm

FIRST = [0.71, 0.74, 0.70, 0.77, 0.73]
SECOND = [0.69, 0.70, 0.71, 0.72, 0.70]
DIFFERENCES = [a - b for a, b in zip(FIRST, SECOND, strict=True)]


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_paired_t_test_is_scipy_s(n: int) -> None:
    expected = stats.ttest_rel(FIRST[:n], SECOND[:n])
    one = compared("a", "b", DIFFERENCES[:n])
    assert one.p == pytest.approx(expected.pvalue)
    ends = expected.confidence_interval(0.95)
    assert (one.mean - one.half_width, one.mean + one.half_width) == pytest.approx((ends.low, ends.high))


@pytest.mark.parametrize("n", [2, 3, 5])
def test_the_flips_are_scipy_s_exact_permutations(n: int) -> None:
    expected = stats.permutation_test(
        (np.array(FIRST[:n]), np.array(SECOND[:n])),
        lambda a, b: np.mean(a - b),
        permutation_type="samples",
        n_resamples=np.inf,
    )
    assert flips(DIFFERENCES[:n]) == pytest.approx(expected.pvalue)


def test_of_three_pairs_the_least_p_is_a_quarter() -> None:
    assert flips([0.1, 0.2, 0.3]) == 0.25 == compared("a", "b", [0.1, 0.2, 0.3]).least
    assert next(n for n in range(1, 9) if Comparison("a", "b", (1.0,) * n, None).least < 0.05) == 6


def test_many_pairs_are_drawn_and_come_close() -> None:
    values = list(np.random.default_rng(1).normal(0.4, 1.0, 20))
    exact = stats.wilcoxon(values).pvalue  # another test of the same question: near, not equal
    assert flips(values) == pytest.approx(exact, abs=0.05)
    assert flips(values) == flips(values)


def test_differences_that_rounding_alone_parts_are_equal() -> None:
    assert flips([0.1 + 0.2, 0.3, -0.3]) == 1.0


def test_holm_multiplies_the_smallest_by_all_and_never_turns_the_order() -> None:
    asked = [Comparison("a", str(i), (), p) for i, p in enumerate([0.03, 0.01, None, 0.011, 0.9])]
    assert [one.p for one in holm(asked)] == pytest.approx([0.06, 0.04, None, 0.04, 0.9])
    assert [one.second for one in holm(asked)] == ["0", "1", "2", "3", "4"]


def test_verdicts() -> None:
    assert compared("a", "b", []).verdict == "too few seeds to tell"
    assert compared("a", "b", [0.5]).verdict == "too few seeds to tell"
    assert compared("a", "b", [0.1, 0.11, 0.09]).verdict == "told apart"
    assert compared("a", "b", [0.1, -0.2, 0.15]).verdict == "not told apart"
    assert compared("a", "b", [0.0, 0.0]).p == 1.0  # two runs of the same
    assert compared("a", "b", [1.0, 1.0]).p == 0.0  # such as a number of parameters
