"""best.ckpt: the weights with the highest score so far, in whichever folder the run goes on."""

import shutil
from pathlib import Path
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.utilities import rank_zero_only

from src.callback.figures import figures
from src.run.folder import replacing


class Best(ModelCheckpoint):
    """Lightning's own, which after a move to another folder would forget what the best score was."""

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Epochs without an evaluation (trainer.check_val_every_n_epoch) have nothing to compare."""
        if self.monitor in figures(trainer):
            super().on_train_epoch_end(trainer, pl_module)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the score over, and the file with it."""
        self.current_score = state_dict["current_score"]
        before = state_dict["best_model_path"]
        if not before or Path(state_dict["dirpath"]) == Path(self.dirpath):
            super().load_state_dict(state_dict)
            return
        here = Path(self.dirpath) / Path(before).name
        if not here.is_file() and not Path(before).is_file():
            print(f"{before} is not there any more: the best score starts anew")
            return
        _copied(Path(before), here)
        moved = {
            "dirpath": self.dirpath,
            "best_model_path": str(here),
            "kth_best_model_path": str(here),
            "best_k_models": {str(here): score for score in state_dict["best_k_models"].values()},
            "last_model_path": "",
        }
        super().load_state_dict({**state_dict, **moved})


@rank_zero_only
def _copied(source: Path, target: Path) -> None:
    if target.is_file():  # the whole folder was moved
        return
    with replacing(target) as draft:
        shutil.copyfile(source, draft)
