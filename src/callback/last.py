"""last.ckpt: where a run goes on after it was stopped, at most one epoch old."""

import time
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.callbacks import Checkpoint, WeightAveraging

from src.callback.signals import Signals, Stopped


class Last(Checkpoint):
    """Saves after every epoch, every few minutes if asked to, and when SIGINT or SIGTERM ends the run.

    The ranks agree after each step, and after each evaluated batch that all of them have, whether to save or to stop:
    no handler ever waits for another process. A `Checkpoint` to Lightning, which calls those after all other callbacks.

    Raises:
        Stopped: once the checkpoint is there; the epoch must not be taken for finished by anyone.
    """

    def __init__(self, every_n_minutes: float | None = None) -> None:
        """See above.

        Args:
            every_n_minutes: also within an epoch; None for long steps and short epochs.
        """
        if every_n_minutes is not None and not every_n_minutes > 0:
            raise ValueError(f"callback.last.every_n_minutes={every_n_minutes}: more than 0, or null")
        self._seconds = None if every_n_minutes is None else 60 * every_n_minutes
        self._saved = 0.0
        self._signals = Signals()
        self._shared = 0  # batches of the running evaluation that every rank has

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        # Not earlier: Lightning registers its own just before, and its own raise in the middle of a step.
        self._signals.listen()
        self._saved = time.monotonic()

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._signals.restore()

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self._signals.restore()

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._save(trainer)
        self._stop(*self._highest(trainer, self._signals.received))

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        last = trainer.is_last_batch
        if (batch_idx + 1) % trainer.accumulate_grad_batches and not last:
            return  # half a step cannot be saved: its gradient is in no checkpoint
        overdue = self._seconds is not None and time.monotonic() - self._saved > self._seconds
        number, due = self._highest(trainer, self._signals.received, int(overdue))
        if (number or due) and not last:  # what follows a last batch saves: the evaluation or the end of the epoch
            self._save(trainer)
            self._stop(number)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        (fewest,) = self._highest(trainer, -int(sum(trainer.num_val_batches)))
        self._shared = -fewest

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if trainer.sanity_checking or batch_idx >= self._shared:
            return
        (number,) = self._highest(trainer, self._signals.received)
        if number:
            self._save_before_validation(trainer, pl_module)
        self._stop(number)

    @staticmethod
    def _highest(trainer: L.Trainer, *numbers: int) -> list[int]:
        """Of all ranks' numbers the highest of each, the same on every rank."""
        if trainer.world_size == 1:
            return list(numbers)
        ours = torch.tensor(numbers, device=trainer.strategy.root_device)
        return [int(number) for number in trainer.strategy.reduce(ours, reduce_op="max").tolist()]

    @staticmethod
    def _stop(number: int) -> None:
        if number:
            raise Stopped(number)

    def _save_before_validation(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """As if the evaluation had not begun: a resumed run does it from its first sample."""
        for callback in trainer.callbacks:
            if isinstance(callback, WeightAveraging):  # it evaluates its average: the model's own weights are put back
                callback.on_validation_epoch_end(trainer, pl_module)
        trainer.fit_loop.epoch_loop.val_loop.batch_progress.reset()
        trainer.fit_loop.epoch_loop.val_loop.batch_progress.increment_ready()
        trainer.fit_loop.epoch_loop.val_loop.batch_progress.increment_started()
        self._save(trainer)

    def _save(self, trainer: L.Trainer) -> None:
        trainer.save_checkpoint(Path(trainer.default_root_dir) / "checkpoints" / "last.ckpt")
        self._saved = time.monotonic()
