"""What a checkpoint must carry so that one file is enough for evaluate, predict and export."""

from typing import Any

import lightning as L

from src.data.description import Description
from src.logger.guarded import Guarded


class Record(L.Callback):
    """Writes into every checkpoint, as plain containers: the run's config, the dataset's description, and the loggers'
    names of the run, so that a resumed one goes on in the same place."""

    def __init__(self, config: dict[str, Any], description: Description) -> None:
        self._contents = {"config": config, "description": description.plain()}

    def on_save_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        versions = {logger.title: logger.version for logger in trainer.loggers if isinstance(logger, Guarded)}
        checkpoint.update(self._contents, loggers=versions)
