"""A training of ours from the project's own config, and the same parts for a loop that somebody else writes."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Optimizer

from src.benchmark.turns import Turns
from src.data.sample import Batch
from src.run import cli
from src.run.build import build, plain
from src.run.device import resolved
from src.run.session import Session

TINY = {"_target_": "src.benchmark.tiny.Tiny", "_partial_": True}


@dataclass(frozen=True)
class Parts:
    """What a training is made of, however its loop looks."""

    model: nn.Module
    loss: nn.Module
    optimizer: Optimizer
    precision: str


def session(words: Sequence[str], folder: Path, tiny: bool = False, without: Sequence[str] = ()) -> Session:
    """The session that `python -m src.train WORDS` would run, on rendered scenes.

    Args:
        folder: of the run.
        tiny: whether `Tiny` stands in for the model.
        without: callbacks that are left out.
    """
    settings = plain(cli.compose("train", ["data.cache=memory", *words]))
    settings["trainer"] = resolved(settings["trainer"])
    settings["model"] = TINY if tiny else settings["model"]
    settings["callback"] = {name: part for name, part in settings["callback"].items() if name not in without}
    return Session(settings, folder)


def parts(ours: Session) -> Parts:
    """Copies of a session's parts, before it was fitted."""
    model = copy.deepcopy(ours.task.model).to(ours.trainer.strategy.root_device)
    optimizer = build(ours.settings["optimizer"])(model.parameters())
    return Parts(model, copy.deepcopy(ours.task.loss), optimizer, str(ours.settings["trainer"]["precision"]))


def ready(ours: Session, count: int) -> list[Batch]:
    """Batches of the training set, in memory."""
    return list(islice(ours.data.train_dataloader(), count))


def fit(ours: Session, turns: Turns) -> None:
    """Train on the batches of `turns`."""
    loader = ours.data.train_dataloader

    def given() -> Any:
        loader()  # the DataModule keeps what it needs to know for its checkpoints
        return turns

    ours.data.train_dataloader = given
    ours.fit()
