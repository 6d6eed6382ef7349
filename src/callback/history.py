"""metrics.csv: a row per epoch with every logged figure, rewritten whole so that it never holds half a row."""

import csv
import io
from pathlib import Path

import lightning as L
from lightning.pytorch.utilities import rank_zero_only

from src.callback.figures import figures
from src.run.folder import write

Row = dict[str, int | float]


class History(L.Callback):
    """Keeps the rows in the checkpoint as well, so that a resumed run's table has no gap."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    @rank_zero_only
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        found = {key: float(value) for key, value in figures(trainer).items()}
        self.rows.append({"epoch": trainer.current_epoch, "step": trainer.global_step, **found})
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        text = io.StringIO()
        table = csv.DictWriter(text, names, lineterminator="\n")
        table.writeheader()
        table.writerows(self.rows)
        write(Path(trainer.default_root_dir) / "metrics.csv", text.getvalue())

    def state_dict(self) -> dict[str, list[Row]]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, list[Row]]) -> None:
        self.rows = list(state_dict["rows"])
