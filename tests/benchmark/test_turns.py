"""Loops that run in turns within one process."""

import threading

import pytest

from src.benchmark.turns import Turns


def test_blocks_of_all_loops_alternate():
    seen = []

    def loop(name: str):
        return lambda turns: [seen.append((name, batch)) for batch in turns]

    other = Turns("xyz", block=2, count=3).led(loop("other"))
    turns = Turns("xyz", block=2, count=3, others=[other])
    loop("ours")(turns)
    other.finish()
    turn = ["ours", "ours", "other", "other"]
    assert [name for name, _ in seen] == [*turn * 3, "ours", "other"]
    assert "".join(batch for name, batch in seen if name == "ours") == "xyzxyzx"
    assert len(turns.clock.cpu) == len(other.clock.cpu) == 2  # the first block warms up


def test_the_length_is_the_number_of_batches():
    turns = Turns("xyz", block=3, count=4)
    assert len(list(turns)) == len(turns)


def test_time_of_another_loop_is_not_ours():
    pause = threading.Event()
    other = Turns("x", block=1, count=3).led(lambda turns: [pause.wait(0.05) for _ in turns])
    turns = Turns("x", block=1, count=3, others=[other])
    for _ in turns:
        pass
    other.finish()
    assert max(turns.clock.wall) < 0.04
    assert min(other.clock.wall) >= 0.05


def test_a_failure_of_a_led_loop_reaches_the_leader():
    def fails(turns: Turns) -> None:
        next(iter(turns))
        raise ArithmeticError("in the other loop")

    other = Turns("x", block=1, count=2).led(fails)
    with pytest.raises(ArithmeticError, match="in the other loop"):
        list(Turns("x", block=1, count=2, others=[other]))
