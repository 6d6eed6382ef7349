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
        self._stop(self._agreed(trainer, self._signals.received))

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: object, batch: object, batch_idx: int
    ) -> None:
        last = trainer.is_last_batch
        if (batch_idx + 1) % trainer.accumulate_grad_batches and not last:
            return  # half a step cannot be saved: its gradient is in no checkpoint
        due = self._seconds is not None and time.monotonic() - self._saved > self._seconds
        number = self._agreed(trainer, self._signals.received or -int(due))
        if number and not last:  # what follows a last batch saves: the evaluation or the end of the epoch
            self._save(trainer)
            self._stop(max(0, number))

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._shared = self._agreed(trainer, int(sum(trainer.num_val_batches)), "min") if trainer.world_size > 1 else -1

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        if trainer.sanity_checking or (trainer.world_size > 1 and batch_idx >= self._shared):
            return
        number = self._agreed(trainer, self._signals.received)
        if number:
            self._save_before_validation(trainer, pl_module)
        self._stop(number)

    def _agreed(self, trainer: L.Trainer, number: int, how: str = "max") -> int:
        if trainer.world_size == 1:
            return number
        ours = torch.tensor(number, device=trainer.strategy.root_device)
        if how == "max":  # a wish to save must not hide behind another rank's 0
            ours = torch.stack([ours.clamp(min=0), (-ours).clamp(min=0)])
            signal_number, due = trainer.strategy.reduce(ours, reduce_op="max").tolist()
            return int(signal_number) or -int(due)
        return int(trainer.strategy.reduce(ours, reduce_op=how))

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
