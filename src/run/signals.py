"""Handlers of signals, taken over for a while."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

REQUEUE = (signal.SIGUSR1, signal.SIGUSR2)  # what `sbatch --signal` sends before the time of a job is over
ENDING = (signal.SIGINT, signal.SIGTERM, *(REQUEUE if "SLURM_JOB_ID" in os.environ else ()))  # what ends a run

Handler = Callable[[int, FrameType | None], Any]


def taken(handler: Handler, numbers: Sequence[int] = ENDING) -> dict[int, Any]:
    """Install a handler; those that were there. Signals that are ignored (nohup, `&`) stay ignored, and only a
    program's first thread may handle any."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    heard = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in heard}


@contextmanager
def handling(handler: Handler, numbers: Sequence[int] = ENDING) -> Iterator[None]:
    """The same for what happens in here."""
    before = taken(handler, numbers)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def leave(number: int, frame: FrameType | None) -> NoReturn:
    """A handler that ends the program by SystemExit, with the exit code that shells know, cleaning up on the way."""
    raise SystemExit(128 + number)
