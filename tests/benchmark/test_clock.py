"""The clock: contestants take turns, and all that they compute is counted."""

import subprocess
import sys
import time

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
    monkeypatch.setattr(clock, "_LEAST", 0.02)
    calls = []
    taken = interleaved({"sleep": lambda: (calls.append(1), time.sleep(0.004))}, rounds=1)["sleep"]
    assert 4 <= len(calls) - 1 <= 5
    assert taken.wall[0] == pytest.approx(0.004, rel=0.5)
    assert taken.cpu[0] < 0.002


def test_what_a_child_computes_counts():
    cpu, _ = now()
    subprocess.run([sys.executable, "-c", "sum(range(4_000_000))"], check=True)
    assert now()[0] - cpu > 0.03
