"""The highest point of this process's memory, by the operating system."""

import subprocess
import sys

import pytest
import torch

from src.benchmark.memory import _RESET, added, highest

SIZE = 256 * 2**20


@pytest.mark.skipif(not _RESET.exists(), reason="only Linux lets a process reset the mark")
def test_what_a_call_takes_is_seen_even_when_it_gives_it_back():
    def takes() -> None:
        torch.ones(SIZE, dtype=torch.uint8)

    assert added(takes) == pytest.approx(SIZE, rel=0.05)
    assert added(takes) == pytest.approx(SIZE, rel=0.05)  # not hidden by the first
    assert added(lambda: None) < SIZE / 20


@pytest.mark.skipif(not _RESET.exists(), reason="only Linux lets a process reset the mark")
def test_what_was_freed_before_cannot_be_taken_unseen():
    def takes() -> None:
        [torch.ones(SIZE // 1024, dtype=torch.uint8) for _ in range(1024)]

    kept = []
    for _ in range(1024):  # holes in the heap, between what stays
        kept += [torch.ones(SIZE // 1024, dtype=torch.uint8), torch.ones(16)]
    del kept[::2]
    assert added(takes) == pytest.approx(SIZE, rel=0.1)


def test_the_highest_point_is_in_bytes():
    torch.ones(SIZE, dtype=torch.uint8)
    assert SIZE < highest() < 2**40


def test_the_highest_point_of_a_new_process_is_its_own():
    kept = torch.ones(SIZE, dtype=torch.uint8)
    line = [sys.executable, "-c", "from src.benchmark.memory import highest; print(highest())"]
    found = subprocess.run(line, capture_output=True, text=True, check=True).stdout
    assert int(found) < len(kept) / 2
