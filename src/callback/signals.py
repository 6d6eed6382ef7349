"""What SIGINT and SIGTERM do: they end the program; while it trains, after a whole step."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

import lightning as L


class Stopped(Exception):
    """A signal ended the training after a whole step; its checkpoint is saved."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.signal = number


class Signals:
    """The handlers only set `received`: what happens in the midst of a step, or of a collective, is left alone."""

    def __init__(self) -> None:
        self.received = 0
        self._before: dict[int, Any] = {}

    def listen(self) -> None:
        """Take the signals over."""
        self._before = _taken(self._note)

    def restore(self) -> None:
        """Give them back to whom they belonged."""
        while self._before:
            signal.signal(*self._before.popitem())

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = number
        signal.signal(signal.SIGINT, leave)  # a second Ctrl-C does not wait


class Leaving(L.Callback):
    """Ends an evaluation at once: what Lightning does on SIGTERM waits for other processes, which may wait as well."""

    def on_test_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        _taken(leave)


@contextmanager
def leaving() -> Iterator[None]:
    """SIGINT and SIGTERM end what happens in here by SystemExit, with the exit code that shells know."""
    before = _taken(leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave(number: int, frame: FrameType | None) -> NoReturn:
    """A handler that ends the program, cleaning up on the way."""
    raise SystemExit(128 + number)


def _taken(handler: Callable[[int, FrameType | None], None]) -> dict[int, Any]:
    """The handlers that were there; signals that are ignored (nohup, `&`) stay ignored, and only a program's first
    thread may handle any."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) != signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in numbers}
