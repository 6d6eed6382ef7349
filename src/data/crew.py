"""The worker processes of a loader: what each is reading, and what became of it."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import util
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import RawArray
from typing import Any, TypeVar

from src.data.follow import follow_parent
from src.data.pulse import SECONDS, pulse

_NOTE = 3  # numbers that a worker leaves: process id, sample, when
_NONE = -(2**62)  # no sample yet
_IGNORED = (signal.SIGINT, signal.SIGTERM)  # by workers

Result = TypeVar("Result")


class Crew:
    """Notices what PyTorch's loader does not, or not in time: a worker that died, blocks or was stopped.

    Each worker writes the number of the sample it is reading into shared memory, so that the sample can be named
    when nobody is left who could.
    """

    def __init__(self, count: int, timeout: float | int, named: Callable[[int], str]) -> None:
        """Start nothing yet.

        Args:
            count: of workers.
            timeout: seconds that a batch is waited for; 0 waits for ever.
            named: a sample's name and files, by its number.
        """
        self._timeout, self._named = timeout, named
        self._notes = RawArray("q", [0, _NONE, 0] * count)
        self._processes: list[BaseProcess] = []

    def recruit(self, start: Callable[[], Result]) -> Result:
        """`start()`, whose child processes are the workers from now on; as in `wait_for`, for it waits for old ones."""
        before = set(multiprocessing.active_children())
        with _held_back(not any(process.is_alive() for process in self._processes)):
            result = self.wait_for(start)
        recruits = [process for process in multiprocessing.active_children() if process not in before]
        if recruits:
            self._processes = recruits
            # at exit this comes before multiprocessing joins its children, and in the collector before PyTorch waits
            util.Finalize(self, _kill, args=[recruits], exitpriority=10)
        _hush()
        return result

    def wait_for(self, batch: Callable[[], Result]) -> Result:
        """`batch()`, which waits for the workers.

        Raises:
            ValueError: one of them died, or none answered in time; no worker is left then.
        """
        began = time.monotonic()
        try:
            with pulse(partial(self._look, began)):
                return batch()
        except Exception as error:  # how a lost worker shows itself depends on what it was doing
            if self._processes and not isinstance(error, StopIteration):
                self._explain(error, time.monotonic() - began)
            raise

    def dismiss(self) -> None:
        """End all workers at once."""
        _kill(self._processes)

    def _look(self, began: float) -> None:
        if any(not process.is_alive() for process in self._processes):
            raise ChildProcessError("a worker died")
        if 0 < self._timeout < time.monotonic() - began:
            raise TimeoutError("no worker answered")

    def _explain(self, error: Exception, waited: float) -> None:
        """Raise what became of the workers, if it is their fault."""
        dying = wait([process.sentinel for process in self._processes], timeout=SECONDS)
        for process in self._processes:
            if process.sentinel in dying:
                process.join(SECONDS)
        dead = [process for process in self._processes if not process.is_alive()]
        late = 0 < self._timeout <= waited
        if dead or late:
            told = self._death(dead[0]) if dead else self._silence()
            self.dismiss()
            raise ValueError(told) from error

    def _death(self, process: BaseProcess) -> str:
        numbers = [number for number in range(len(self._notes) // _NOTE) if self._note(number)[0] == process.pid]
        doing = self._doing(numbers[0]) if numbers else "before it read a sample"
        worker = f"loading worker {numbers[0]}" if numbers else "a loading worker"
        return f"{worker} (process {process.pid}) {_ending(process.exitcode)} {doing}: {_remedy(process.exitcode)}"

    def _silence(self) -> str:
        # whoever is in the midst of a sample, else whoever was heard of longest ago
        number = min(range(len(self._notes) // _NOTE), key=lambda n: (self._note(n)[1] < 0, self._note(n)[2]))
        process, _, since = self._note(number)
        silent = time.monotonic() - since / 1e9
        return (
            f"loading worker {number} (process {process}) has been silent for {silent:.0f} s, {self._doing(number)}: "
            f"look at these files and where they lie; data.timeout={self._timeout:g} is how many seconds a batch is "
            "waited for (0: for ever)"
        )

    def _doing(self, number: int) -> str:
        sample = self._note(number)[1]
        if sample == _NONE:
            return "before it read a sample"
        return f"while it read {self._named(sample)}" if sample >= 0 else f"after it had read {self._named(~sample)}"

    def _note(self, number: int) -> list[int]:
        return self._notes[_NOTE * number : _NOTE * (number + 1)]

    # What runs in a worker. The rest does not travel there.

    def enter(self) -> Callable[[int], None]:
        """What a worker does first, given its number."""
        return partial(_enter, self._notes)

    def read(self) -> Callable[[int, int], None]:
        """`read()(worker, sample)`: the worker begins a sample, or with ~sample has finished it."""
        return partial(_write, self._notes)


@contextmanager
def _held_back(starting: bool) -> Iterator[None]:
    """While workers start, signals wait: one that met a new process before `_enter` would unwind, in there, everything
    that the parent was in the midst of, and end the run once more. A worker inherits this and lifts it."""
    before = (
        signal.pthread_sigmask(signal.SIG_BLOCK, _IGNORED) if starting and hasattr(signal, "pthread_sigmask") else None
    )
    try:
        yield
    finally:
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _enter(notes: Any, worker: int) -> None:
    """Live as long as the parent does: neither longer, nor shorter because a signal meant for it reaches all."""
    for number in _IGNORED:  # the parent ends its step and saves; it still needs batches then
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _IGNORED)
    notes[_NOTE * worker] = os.getpid()
    _write(notes, worker, _NONE)
    follow_parent()


def _write(notes: Any, worker: int, sample: int) -> None:
    notes[_NOTE * worker + 1 : _NOTE * worker + 3] = [sample, time.monotonic_ns()]


def _hush() -> None:
    """Take PyTorch's own handler away: it raises wherever the training is when a worker dies, not where it waits."""
    if hasattr(signal, "SIGCHLD") and threading.current_thread() is threading.main_thread():
        handler = signal.getsignal(signal.SIGCHLD)
        if (getattr(handler, "__module__", None) or "").startswith("torch.utils.data"):
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _kill(processes: list[BaseProcess]) -> None:
    for process in processes:
        process.kill()
    for process in processes:
        process.join(SECONDS)


def _ending(code: int | None) -> str:
    if code is None or code >= 0:
        return f"ended by itself with exit code {code}"
    return f"was killed by {signal.Signals(-code).name}"


def _remedy(code: int | None) -> str:
    if code == -signal.SIGKILL:
        return "the system does that when memory runs out; lower data.workers, data.batch_size or data.size"
    if code == -getattr(signal, "SIGBUS", 0):
        return "shared memory is full, see `df /dev/shm`; enlarge it, or lower data.workers or data.batch_size"
    return "a decoder may have crashed on these files; data.workers=0 shows where"
