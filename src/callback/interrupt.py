"""Ctrl-C and SIGTERM end a run at the end of its step, with a checkpoint; a second Ctrl-C ends it at once."""

import signal
from pathlib import Path
from types import FrameType
from typing import Any

import lightning as L
import torch

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(Exception):
    """A signal ended the training after a whole step; its checkpoint is saved."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.signal = number


class Interrupt(L.Callback):
    """The handler only sets a flag; the ranks agree on it after each step, so that none waits for another.

    Raises:
        Stopped: once the checkpoint is there; the epoch must not be taken for finished by anyone.
    """

    def __init__(self) -> None:
        self._flag = 0
        self._original: dict[int, Any] = {}

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        # Not earlier: Lightning registers its own just before, and its own raise in the middle of a step.
        self._original = {number: signal.signal(number, self._raise_flag) for number in _SIGNALS}

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._give_back()

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self._give_back()

    def _give_back(self) -> None:
        while self._original:
            signal.signal(*self._original.popitem())

    def _raise_flag(self, number: int, frame: FrameType | None) -> None:
        self._flag = number
        signal.signal(signal.SIGINT, signal.default_int_handler)  # the second one does not wait

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        flag = self._flag
        if trainer.world_size > 1:
            ours = torch.tensor(flag, device=pl_module.device)
            flag = int(trainer.strategy.reduce(ours, reduce_op="max"))
        if flag:
            trainer.save_checkpoint(Path(trainer.default_root_dir) / "checkpoints" / "last.ckpt")
            raise Stopped(flag)
