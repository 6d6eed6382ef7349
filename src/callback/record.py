"""What a checkpoint must carry so that one file is enough for evaluate, predict and export."""

from typing import Any

import lightning as L

from src.data.description import Description


class Record(L.Callback):
    """Writes the run's config and the dataset's description into every checkpoint, as plain containers."""

    def __init__(self, config: dict[str, Any], description: Description) -> None:
        self._contents = {"config": config, "description": description.plain()}

    def on_save_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint.update(self._contents)
