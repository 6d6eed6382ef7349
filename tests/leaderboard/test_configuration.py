from pathlib import Path

import pytest

from src.leaderboard.configuration import Configuration, grouped
from src.leaderboard.run import Run


def run(name: str, seed: int, score: float | None, written: float = 0.0, **axes: str) -> Run:
    return Run(Path(name), None, axes, str(seed), {} if score is None else {"score": score}, {}, written)


def test_mean_and_sample_standard_deviation() -> None:
    configuration = Configuration({}, [run("a", 0, 0.1), run("b", 1, 0.2), run("c", 2, 0.6)])
    assert configuration.mean("score") == pytest.approx(0.3)
    assert configuration.spread("score") == pytest.approx((0.14 / 2) ** 0.5)  # n - 1, not n


def test_one_run_has_no_spread_and_a_missing_figure_no_mean() -> None:
    configuration = Configuration({}, [run("a", 0, 0.1), run("b", 1, None)])
    assert configuration.values("score") == [0.1]
    assert configuration.spread("score") is None
    assert configuration.mean("val/miou") is None


def test_runs_that_differ_only_in_the_seed_are_one_configuration() -> None:
    runs = [run("a", 0, 0.1, loss="dice"), run("b", 0, 0.2, loss="focal"), run("c", 1, 0.3, loss="dice")]
    configurations, left = grouped(runs)
    assert [[r.folder.name for r in c.runs] for c in configurations] == [["a", "c"], ["b"]]
    assert not left


def test_an_axis_at_its_default_is_not_an_axis_that_was_set() -> None:
    configurations, _ = grouped([run("a", 0, 0.1), run("b", 1, 0.1, size="64")])
    assert len(configurations) == 2


def test_of_a_seed_run_twice_the_newest_counts() -> None:
    runs = [run("new", 0, 0.1, written=2.0), run("old", 0, 0.9, written=1.0), run("other", 1, 0.3)]
    (configuration,), left = grouped(runs)
    assert [r.folder.name for r in configuration.runs] == ["new", "other"]
    assert [(r.folder.name, r.trouble) for r in left] == [("old", "a newer run has the same axes and seed 0")]
