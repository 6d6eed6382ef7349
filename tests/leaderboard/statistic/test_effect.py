import itertools
import math
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from scipy import stats

from src.leaderboard.board import Board
from src.leaderboard.configuration import grouped
from src.leaderboard.run import Run
from src.leaderboard.statistic.design import Design, design
from src.leaderboard.statistic.effect import effects
from src.leaderboard.statistic.interaction import interactions

SEEDS = (0, 1, 2)


def found(scores: dict[tuple[str, ...], list[float]], names: tuple[str, ...] = ("a", "b")) -> Design:
    """The design of runs whose scores, by seed, are given for each choice of the axes."""
    runs = [
        Run(Path(f"{values}{seed}"), None, dict(zip(names, values, strict=True)), str(seed), {"score": score})
        for values, row in scores.items()
        for seed, score in enumerate(row)
    ]
    configurations, _ = grouped(runs)
    return design(Board(Path("runs"), "score", configurations, []))


@pytest.fixture
def noisy() -> dict[tuple[str, ...], list[float]]:
    """Three by two with an interaction in one cell."""
    random = np.random.default_rng(0)
    base = {("x", "p"): 0.5, ("y", "p"): 0.6, ("z", "p"): 0.7, ("x", "q"): 0.4, ("y", "q"): 0.5, ("z", "q"): 0.9}
    return {place: [float(mean + random.normal(0, 0.02)) for _ in SEEDS] for place, mean in base.items()}


def test_a_marginal_mean_is_over_the_other_axes_and_best_first(noisy) -> None:
    effect = next(effect for effect in effects(found(noisy)) if effect.axis == "a")
    assert [level.value for level in effect.levels] == ["z", "y", "x"]
    assert effect.levels[0].mean == pytest.approx(fmean(noisy["z", "p"] + noisy["z", "q"]))
    assert (effect.contexts, effect.of, effect.left, effect.levels[0].runs) == (2, 2, [], 6)
    assert [level.value for level in effects(found(noisy), ascending=True)[0].levels] == ["x", "y", "z"]


def test_its_interval_is_that_of_an_analysis_of_variance(noisy) -> None:
    effect = effects(found(noisy))[0]
    mse = fmean(np.var(row, ddof=1) for row in noisy.values())  # all cells have as many runs
    assert effect.levels[0].half_width == pytest.approx(stats.t.ppf(0.975, 12) * math.sqrt(mse / 6))


def test_levels_are_compared_at_the_same_seed_and_context(noisy) -> None:
    effect = effects(found(noisy))[0]
    behind = next(level.behind for level in effect.levels if level.value == "x")
    expected = [z - x for b in "pq" for z, x in zip(noisy["z", b], noisy["x", b], strict=True)]
    assert sorted(behind.differences) == pytest.approx(sorted(expected))
    raw = stats.ttest_1samp(expected, 0).pvalue
    assert raw <= behind.p <= 2 * raw + 1e-12  # Holm's, over two levels


def test_a_seed_that_one_of_them_lacks_makes_no_pair(noisy) -> None:
    noisy["x", "q"].pop()
    effect = next(effect for effect in effects(found(noisy)) if effect.axis == "a")
    assert {level.value: level.behind and len(level.behind.differences) for level in effect.levels} == {
        "z": None,
        "y": 6,
        "x": 5,
    }


def test_a_missing_cell_leaves_its_context_out_and_it_is_said(noisy) -> None:
    del noisy["x", "q"]
    by_axis = {effect.axis: effect for effect in effects(found(noisy))}
    assert (by_axis["b"].contexts, by_axis["b"].of) == (2, 3)
    assert by_axis["b"].levels[0].mean == pytest.approx(max(fmean(noisy["y", b] + noisy["z", b]) for b in "pq"))
    # two values in two contexts say more than three in one
    assert (by_axis["a"].left, by_axis["a"].contexts) == (["x"], 2)


def test_what_was_never_run_side_by_side_is_not_balanced() -> None:
    scores = {("x", "p", "1"): [0.1], ("y", "q", "1"): [0.2], ("x", "q", "2"): [0.3], ("y", "p", "2"): [0.4]}
    by_axis = {effect.axis: effect for effect in effects(found(scores, ("a", "b", "c")))}
    assert not by_axis["a"].balanced
    assert by_axis["a"].levels[0].mean == pytest.approx(0.3)
    assert all(level.behind is None and level.half_width is None for level in by_axis["a"].levels)


def test_an_axis_that_goes_with_another_is_no_factor() -> None:
    scores = {
        (decoder, head, backbone): [0.1, 0.2]
        for decoder, head in (("unet", "conv"), ("plain", "conv"), ("fcn8s", "identity"))
        for backbone in ("small", "large")
    }
    assert found(scores, ("decoder", "head", "backbone")).factors == ["decoder", "backbone"]


def test_numbers_that_were_drawn_are_no_factor() -> None:
    scores = {(str(0.001 * n), "ab"[n % 2]): [0.1 * n] for n in range(1, 11)}
    assert (found(scores).factors, found(scores).drawn) == (["b"], ["a"])
    assert len(found(scores).cells) == 2


def test_the_interaction_is_what_an_additive_model_leaves(noisy) -> None:
    (pair,) = interactions(found(noisy))
    places = list(itertools.product("xyz", "pq"))
    y = np.array([value for place in places for value in noisy[place]])
    columns = [np.ones(18)]
    columns += [np.repeat([place[0] == a for place in places], 3).astype(float) for a in "yz"]
    columns += [np.repeat([place[1] == "q" for place in places], 3).astype(float)]
    additive = float(np.linalg.lstsq(np.stack(columns, 1), y, rcond=None)[1][0])
    full = sum(float(np.var(row) * 3) for row in noisy.values())
    f = ((additive - full) / 2) / (full / 12)
    assert pair.p == pytest.approx(stats.f.sf(f, 2, 12))
    assert pair.size == pytest.approx(math.sqrt((additive - full) / 18))
    assert pair.size > 5 * pair.noise


def test_axes_that_add_up_do_nothing_together() -> None:
    random = np.random.default_rng(3)
    scores = {
        (a, b): [0.5 + int(a) / 10 + int(b) / 5 + float(random.normal(0, 0.02)) for _ in range(4)]
        for a, b in itertools.product("012", "012")
    }
    (pair,) = interactions(found(scores))
    assert pair.p > 0.05
    assert pair.size < 2 * pair.noise


def test_noise_shrinks_with_the_contexts_that_a_mean_is_over() -> None:
    random = np.random.default_rng(5)
    places = itertools.product("01", "01", "012")
    scores = {place: [float(random.normal(0.5, 0.02)) for _ in range(4)] for place in places}
    whole = found(scores, ("a", "b", "c"))
    pair = next(pair for pair in interactions(whole) if (pair.rows, pair.columns) == ("a", "b"))
    assert pair.noise == pytest.approx(
        whole.spread * math.sqrt(1 / 12 * 1 / 4)
    )  # four seeds in three contexts; 1/4 free


def test_a_table_with_a_hole_is_shown_and_not_judged(noisy) -> None:
    del noisy["x", "q"]
    (pair,) = interactions(found(noisy))
    assert (pair.size, pair.noise, pair.p, pair.means["x", "q"]) == (None, None, None, None)
    assert pair.means["z", "q"] == pytest.approx(fmean(noisy["z", "q"]))


def test_the_pair_that_does_most_comes_first_and_one_seed_has_no_noise() -> None:
    scores = {(a, b, c): [0.3 * (a == b) + 0.1 * int(c)] for a, b, c in itertools.product("01", "01", "01")}
    pairs = interactions(found(scores, ("a", "b", "c")))
    assert {pairs[0].rows, pairs[0].columns} == {"a", "b"}
    assert pairs[0].size == pytest.approx(0.15)
    assert pairs[0].noise is None
