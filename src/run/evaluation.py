"""How a task is scored on a split: one way, for the end of training and for src.evaluate."""

from pathlib import Path
from typing import Any

import lightning as L

from src.callback.pictures import Pictures
from src.callback.signals import Leaving
from src.data.datamodule import DataModule
from src.task.task import Task


def evaluator(options: dict[str, Any], folder: Path, pictures: int, bar: bool = False) -> L.Trainer:
    """A trainer that only evaluates: callbacks of training, such as an average of weights, must not act again.

    Args:
        options: of the Trainer: accelerator, devices, strategy, precision ...
        folder: where pictures go.
        pictures: how many images are drawn.
        bar: whether progress is shown.
    """
    return L.Trainer(
        **options,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=bar,
        use_distributed_sampler=False,
        default_root_dir=str(folder),
        callbacks=[Leaving(), *([Pictures(pictures)] if pictures else [])],
    )


def scores(task: Task, data: DataModule, split: str, trainer: L.Trainer) -> dict[str, float]:
    """Everything the task's suite says about a split, every sample counted once, at the size of its file."""
    data.evaluated = split
    trainer.test(task, datamodule=data, verbose=False)
    return task.scores["test"]
