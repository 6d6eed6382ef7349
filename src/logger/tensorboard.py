"""TensorBoard: the view that needs no account."""

from collections.abc import Sequence

import numpy as np
from lightning.pytorch.loggers import TensorBoardLogger
from PIL import Image
from torch.utils.tensorboard.summary import hparams

from src.logger.about import About
from src.logger.interface import Look, Outcome, Table

_FINAL = ("best/val/score", "best/val/loss", "best/test/score", "best/test/loss")  # beside the hyperparameters


class TensorBoard(TensorBoardLogger):
    """Lightning's own, with the config and the final figures beside each other, pictures and tables."""

    remedy = None

    def __init__(
        self, prefix: str = "", max_queue: int = 10, flush_secs: float | int = 120, *, about: About, version: str | None
    ) -> None:
        """Nothing is begun yet, see `start`.

        Args:
            prefix: of the names of figures.
            max_queue, flush_secs: how many events and how many seconds wait before they are written.
            about: the run; its folder gets a folder `tensorboard`.
            version: of the run that is continued; a folder has but one.
        """
        written = {"max_queue": max_queue, "flush_secs": flush_secs}
        super().__init__(str(about.folder), None, "tensorboard", default_hp_metric=False, prefix=prefix, **written)
        self._about = about

    def start(self) -> None:
        """The hyperparameters, flat, and which figures stand beside them once they are known."""
        self.hparams.update(self._about.config)
        for summary in hparams(self._about.flat, dict.fromkeys(_FINAL, 0.0)):
            self.experiment.file_writer.add_summary(summary)
        self.experiment.add_text("name", self._about.name)

    def show(self, key: str, sheet: Image.Image, looks: Sequence[Look], classes: Sequence[str], step: int) -> None:
        """The sheet; TensorBoard has no masks to switch."""
        self.experiment.add_image(key, np.asarray(sheet.convert("RGB")), step, dataformats="HWC")

    def conclude(self, outcome: Outcome) -> None:
        """Figures as scalars, tables as text, the confusion matrix as a picture."""
        step = outcome.step
        self.log_metrics(outcome.figures, step)
        for key, table in {**outcome.tables, **outcome.confusions}.items():
            self.experiment.add_text(key, _markdown(table), step)
        for key, picture in outcome.pictures.items():
            self.show(key, picture, (), (), step)

    def end(self, status: str) -> None:
        """Write what is left, and the hyperparameters as a file of their own."""
        self.experiment.add_text("status", status)
        self.finalize("success")


def _markdown(table: Table) -> str:
    shown = [[f"{value:.4f}" if isinstance(value, float) else str(value) for value in row] for row in table.rows]
    lines = [table.columns, ["---"] * len(table.columns), *shown]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
