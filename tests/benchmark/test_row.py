"""A row: figures of both sides, their ratio round by round, and whether the goal is met."""

import pytest

from src.benchmark.row import Row
from src.benchmark.table import cells


def row(ratios: list[float], **options) -> Row:
    return Row("part", "what", "peer", theirs=[10.0] * len(ratios), ours=[10 * ratio for ratio in ratios], **options)


def test_the_ratio_is_the_median_of_the_rounds_own():
    drifting = Row("part", "what", "peer", theirs=[1.0, 10.0, 100.0], ours=[2.0, 20.0, 100.0])
    assert drifting.ratios == [2, 2, 1]
    assert drifting.ratio == 2


@pytest.mark.parametrize(
    ("ratios", "options", "met"),
    [
        ([0.8, 0.9, 1.2], {"goal": 1.0}, "yes"),
        ([0.8, 1.1, 1.2], {"goal": 1.0}, "no"),
        ([0.8, 0.9, 1.1, 1.2, 1.3], {"goal": 1.0, "spread": True}, "yes (in the spread)"),
        ([0.8, 1.1, 1.1, 1.2, 1.3], {"goal": 1.0, "spread": True}, "no"),
        ([1.2, 1.1, 0.8], {"goal": 1.0, "least": True}, "yes"),
        ([0.9, 0.9, 1.2], {"goal": 1.0, "least": True}, "no"),
        ([0.7, 0.8, 0.9, 1.0, 1.1], {"goal": 1.0, "least": True, "spread": True}, "yes (in the spread)"),
        ([0.5], {}, ""),
    ],
)
def test_a_goal_is_met_or_it_is_not(ratios, options, met):
    assert row(ratios, **options).met == met


def test_a_missing_peer_is_named_and_meets_nothing():
    absent = Row("loss", "dice", "kornia", goal=1.0, missing="not installed")
    assert absent.ratio is None
    assert absent.met == ""
    assert cells(absent)[:4] == ["loss", "dice", "kornia", "not installed"]
    assert absent.plain()["missing"] == "not installed"


def test_the_table_shows_medians_and_the_range():
    assert cells(row([0.5, 0.6, 0.9], goal=0.7))[3:] == ["10", "6", "ms", "0.600", "0.50–0.90", "≤ 0.7", "yes"]


def test_the_json_has_every_round():
    plain = row([0.5, 0.6], goal=1.0).plain()
    assert plain["ours"] == [5.0, 6.0]
    assert plain["ratios"] == [0.5, 0.6]
    assert plain["met"] == "yes"
