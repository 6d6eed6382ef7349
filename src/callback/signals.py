"""What SIGINT and SIGTERM do while a trainer runs: a training ends after a whole step, an evaluation at once."""

import signal
from types import FrameType
from typing import Any

import lightning as L

from src.run.signals import leave, taken


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
        self._before = taken(self._note)

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
        taken(leave)
