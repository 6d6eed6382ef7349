import ctypes
import multiprocessing
import os
import pickle
import signal
import threading
import time
from pathlib import Path

import pytest
import torch
from torch import Tensor

from src.data.loader import Loader


class Stubborn(Exception):
    """An error that cannot be sent between processes."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


class Samples:
    """Numbers; what `deeds` says is done before one of them is given."""

    def __init__(self, folder: Path | None = None, count: int = 24, **deeds: int) -> None:
        self.folder, self.count = folder, count
        self.deeds = {number: deed for deed, number in deeds.items()}

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> Tensor:
        deed = self.deeds.get(number)
        if deed:
            getattr(self, f"_{deed}")()
        return torch.full((4,), number)

    def _raise_value(self) -> None:
        raise ValueError("has a hole")

    def _raise_key(self) -> None:
        raise KeyError("hole")

    def _raise_stubborn(self) -> None:
        raise Stubborn("with", "two")

    def _kill(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _bus(self) -> None:
        signal.signal(signal.SIGBUS, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGBUS)

    def _crash(self) -> None:
        ctypes.string_at(0)

    def _leave(self) -> None:
        os._exit(0)

    def _block(self) -> None:
        time.sleep(1000)

    def _spin(self) -> None:
        ctypes.PyDLL(None).sleep(1000)  # holds the interpreter's lock, as a decoder may

    def _stop(self) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)

    def _stop_soon(self) -> None:
        """Stopped while it has batches to hand over."""
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGSTOP)).start()


def named(number: int) -> str:
    return f"sample '{number}' ({number}.png, {number}_mask.png)"


def build(samples: Samples, workers: int, **options) -> Loader:
    options = {"batch_size": 2, "persistent_workers": workers > 0} | options
    return Loader(samples, named, torch.stack, num_workers=workers, **options)


def message(loader: Loader) -> ValueError:
    before = set(multiprocessing.active_children())
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is what the tests look at
        list(loader)
    loader.left = [process for process in multiprocessing.active_children() if process not in before]
    return caught.value


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_it_gives_what_pytorch_gives_epoch_after_epoch(workers):
    loader = build(Samples(), workers)
    assert len(loader) == 12
    for _ in range(2):
        assert torch.equal(torch.cat(list(loader))[:, 0], torch.arange(24))


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_names_the_sample_and_its_files_and_keeps_its_cause(workers):
    error = message(build(Samples(raise_key=7), workers))
    where = ", loading worker 1" if workers else ""
    assert str(error) == f"sample '7' (7.png, 7_mask.png){where}: KeyError: 'hole'"
    assert isinstance(error.__cause__, KeyError)
    if workers:
        assert "in _raise_key" in error.__cause__.__notes__[0]


def test_a_sentence_stays_a_sentence():
    error = message(build(Samples(raise_value=3), 2))
    assert str(error) == "sample '3' (3.png, 3_mask.png), loading worker 1: has a hole"


def test_an_error_that_cannot_be_sent_is_still_told():
    with pytest.raises(TypeError):
        pickle.loads(pickle.dumps(Stubborn("with", "two")))
    assert str(message(build(Samples(raise_stubborn=3), 2))).endswith("RuntimeError: Stubborn: with two")


@pytest.mark.parametrize("workers", [0, 2])
def test_samples_that_make_no_batch_are_told_in_one_line(workers):
    uneven = [torch.zeros(2), torch.zeros(3)]
    loader = Loader(uneven, named, torch.stack, num_workers=workers, batch_size=2)
    assert "stack expects each tensor to be equal size" in str(message(loader)).splitlines()[0]
    assert "Traceback" not in str(message(loader))


@pytest.mark.parametrize(
    ("deed", "ending", "remedy"),
    [
        ("kill", "was killed by SIGKILL", "memory runs out; lower data.workers"),
        ("bus", "was killed by SIGBUS", "shared memory is full"),
        ("crash", "was killed by SIGSEGV", "a decoder may have crashed"),
        ("leave", "ended by itself with exit code 0", "data.workers=0 shows where"),
    ],
)
def test_a_worker_that_dies_is_named_with_the_sample_it_read(deed, ending, remedy):
    loader = build(Samples(**{deed: 9}), 3)  # the fifth batch: the second of worker 1
    began = time.monotonic()
    error = str(message(loader))
    assert time.monotonic() - began < 8
    assert error.startswith("loading worker 1 (process ")
    assert f"{ending} while it read sample '9' (9.png, 9_mask.png): " in error
    assert remedy in error
    assert loader.left == []


@pytest.mark.parametrize("deed", ["block", "spin", "stop"])
def test_a_worker_that_does_not_answer_is_named_with_the_sample_it_read(deed):
    loader = build(Samples(**{deed: 9}), 3, timeout=2)
    began = time.monotonic()
    error = str(message(loader))
    assert time.monotonic() - began < 8
    assert error.startswith("loading worker 1 (process ")
    assert "while it read sample '9' (9.png, 9_mask.png)" in error
    assert "data.timeout=2 is how many seconds" in error
    assert loader.left == []


def test_a_worker_that_is_stopped_between_two_batches_is_named():
    loader = build(Samples(stop_soon=2, count=8000), 2, timeout=2)
    error = str(message(loader))
    assert "loading worker 1 (process " in error
    assert loader.left == []


def test_a_worker_that_died_before_the_epoch_is_noticed():
    loader = build(Samples(), 2)
    before = set(multiprocessing.active_children())
    list(loader)
    victim = next(process for process in multiprocessing.active_children() if process not in before)
    os.kill(victim.pid, signal.SIGKILL)
    assert f"(process {victim.pid}) was killed by SIGKILL after it had read sample" in str(message(loader))


def test_a_death_interrupts_nothing_but_the_wait_for_a_batch():
    list(torch.utils.data.DataLoader(Samples(), num_workers=1))  # whose handler would interrupt
    loader = build(Samples(kill=6), 2)  # in the fourth batch, which is read ahead
    batches = iter(loader)
    next(batches)
    begun = time.monotonic()
    while time.monotonic() < begun + 2:  # a long step, in which the worker dies: it must come to its end
        pass
    with pytest.raises(ValueError, match="SIGKILL while it read sample '6'"):
        list(batches)


def test_signals_that_reach_all_processes_leave_the_workers_at_work():
    loader = build(Samples(), 2)
    before = set(multiprocessing.active_children())
    batches = iter(loader)  # they may not even have begun
    found = []
    for process in set(multiprocessing.active_children()) - before:
        os.kill(process.pid, signal.SIGINT)
        os.kill(process.pid, signal.SIGTERM)
    assert len(found + list(batches)) == 12


def test_an_alarm_of_somebody_else_rings_in_time():
    rung = []
    handler = signal.signal(signal.SIGALRM, lambda *_: rung.append(time.monotonic()))
    before = signal.setitimer(signal.ITIMER_REAL, 1.5)
    began = time.monotonic()
    try:
        list(build(Samples(), 1))
        time.sleep(max(0, began + 2 - time.monotonic()))
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, *before)
    assert len(rung) == 1


def test_a_thread_that_is_not_the_main_one_may_iterate():
    found = []
    thread = threading.Thread(target=lambda: found.extend(build(Samples(), 2)))
    thread.start()
    thread.join(20)
    assert len(found) == 12
