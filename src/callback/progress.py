"""Progress that suits where it is shown: a bar on a terminal, one line per epoch in a log file."""

import sys
import time

import lightning as L
from lightning.pytorch.callbacks import ProgressBar, RichProgressBar

from src.callback.figures import figures


def progress(refresh_rate: int = 5) -> ProgressBar:
    """The bar for a terminal, refreshed every `refresh_rate` batches, or `Lines` where there is none."""
    return RichProgressBar(refresh_rate=refresh_rate) if sys.stdout.isatty() else Lines()


class Lines(ProgressBar):
    """One line per epoch: loss, score, and the time that is left."""

    def __init__(self) -> None:
        super().__init__()
        self._enabled = True
        self._began = 0.0
        self._first = 0

    def disable(self) -> None:
        """Lightning calls this on every rank but the first."""
        self._enabled = False

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._began, self._first = time.monotonic(), trainer.global_step

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not self._enabled:
            return
        seconds = time.monotonic() - self._began
        steps, done = trainer.estimated_stepping_batches, trainer.global_step
        pace = seconds / max(1, done - self._first)
        left = f", {(steps - done) * pace:.0f} s left" if steps != float("inf") else ""
        metrics = figures(trainer)
        shown = "".join(f"  {key} {float(metrics[key]):.4f}" for key in ("train/loss", "val/score") if key in metrics)
        print(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}{shown}  {seconds:.0f} s{left}", flush=True)
