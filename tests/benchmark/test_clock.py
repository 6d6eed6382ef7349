"""The clock: contestants take turns, and all that they compute is counted."""

import subprocess
import sys

import pytest

from src.benchmark import clock
from src.benchmark.clock import interleaved, now


def test_contestants_take_turns(monkeypatch):
    monkeypatch.setattr(clock, "_LEAST", 1e-9)
    order = []
    clocks = interleaved({"ours": lambda: order.append("ours"), "peer": lambda: order.append("peer")}, rounds=3)
    assert order == ["ours", "peer"] + ["ours", "peer"] * 3
    assert len(clocks["ours"].cpu) == len(clocks["peer"].wall) == 3


def test_a_short_turn_is_repeated_and_told_per_call(monkeypatch):
    wall = [0.0]

    def lasts():
        wall[0] += 0.01

    monkeypatch.setattr(clock, "now", lambda: (2 * wall[0], wall[0]))
    taken = interleaved({"a hundredth": lasts}, rounds=2)["a hundredth"]
    assert wall[0] == pytest.approx(0.01 * (1 + 2 * 5))
    assert taken.wall == pytest.approx([0.01, 0.01])
    assert taken.cpu == pytest.approx([0.02, 0.02])


def test_what_a_child_computes_counts():
    cpu, _ = now()
    subprocess.run([sys.executable, "-c", "sum(range(4_000_000))"], check=True)
    assert now()[0] - cpu > 0.03
