import os

import pytest

from src.data import cores


@pytest.mark.parametrize(("there", "shares", "found"), [(64, 1, 8), (64, 16, 4), (2, 1, 2), (2, 4, 1)])
def test_readers_are_as_many_as_the_cores_a_process_may_use(monkeypatch, there, shares, found):
    monkeypatch.setattr(cores, "usable_cores", lambda: list(range(there)))
    assert cores.readers(shares) == found


def test_a_pinned_process_reads_on_its_own_core(monkeypatch):
    before = os.sched_getaffinity(0)
    cores.usable_cores.cache_clear()
    try:
        os.sched_setaffinity(0, {min(before)})
        assert cores.readers() == 1
    finally:
        os.sched_setaffinity(0, before)
        cores.usable_cores.cache_clear()
