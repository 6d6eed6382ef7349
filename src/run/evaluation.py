"""How a task is scored on a split: one way, for the end of training and for src.evaluate."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L

from src.callback.pictures import Pictures
from src.callback.signals import Leaving
from src.data.datamodule import DataModule
from src.run.build import build
from src.run.device import precision
from src.run.inference.ensemble import Ensemble
from src.run.inference.fused import Fused
from src.run.inference.kind import finds_objects, gives_numbers
from src.run.inference.member import Member
from src.run.inference.scored import Scored
from src.run.restore import restored
from src.task.colorization import Colorization
from src.task.instance import Instance
from src.task.joint import Joint
from src.task.keypoint import Keypoint
from src.task.normals import Normals
from src.task.task import Task


def entered(paths: Sequence[Path], options: dict[str, Any]) -> tuple[Task | Scored, DataModule, str | int]:
    """What is scored, the data it is scored on, and the precision of the trainer.

    A single checkpoint that sees each image once is its task. Otherwise the data leaves images as they are, and each
    member resizes them and runs in a precision of its own, as in src.predict. A detector sees each image once.

    Args:
        paths: of checkpoints of the same classes; the first one's data and suite are taken.
        options: conf/evaluate.yaml as plain containers.

    Raises:
        ValueError: a checkpoint cannot be used, or the data is not what they were made for.
    """
    loaded = [restored(path, options["allow"]) for path in paths]
    if not loaded:
        raise ValueError("ckpt=[]: name one checkpoint or several, [A.ckpt,B.ckpt]")
    precisions = [
        precision(options["trainer"]["precision"] or stored["trainer"]["precision"], options["trainer"]["accelerator"])
        for _, stored in loaded
    ]
    task, stored = loaded[0]
    changes = {key: value for key, value in options["data"].items() if value is not None}
    tasks = [task for task, _ in loaded]
    finds = finds_objects(tasks, options)
    numbers = not finds and gives_numbers(tasks, options)
    if finds or (len(loaded) == 1 and options["scales"] == [1] and not options["mirror"]):
        return task, _data(task, stored, changes), precisions[0]
    sizes = [changes.get("size") or stored["data"]["size"] for _, stored in loaded]
    members = [
        Member(task, size, L.Fabric(accelerator=options["trainer"]["accelerator"], devices=1, precision=used))
        for (task, _), size, used in zip(loaded, sizes, precisions, strict=True)
    ]
    looks = {"scales": options["scales"], "mirror": options["mirror"]}
    if numbers:
        _check_priced(tasks)
    ensemble = Fused(members, **looks) if numbers else Ensemble(members, **looks, combine=options["combine"])
    return Scored(ensemble), _data(task, stored, changes | {"size": None}), "32-true"


def _check_priced(tasks: Sequence[Task]) -> None:
    """That the mean of several views is an output which the task has a price for."""
    for task in tasks:
        beside = isinstance(task, Normals) and hasattr(task.loss, "channels")
        if isinstance(task, Colorization | Joint) or beside:
            what = "normals with their uncertainty" if beside else type(task).__name__.lower()
            raise ValueError(
                f"ckpt: a checkpoint of {what} is scored by itself and on images as they are: give one, without mirror "
                "and scales (src.predict averages them)"
            )


def _data(task: Task, stored: dict[str, Any], changes: dict[str, Any]) -> DataModule:
    """The data of a run, changed; it must be what the checkpoint was made for, wherever it lies now."""
    data = build({**stored["data"], **changes}, fields=task.fields)  # the transform is training's
    made, here = task.description.plain(), data.description.plain()
    facts = ["channels", "value_range"]
    facts += ["classes", "multilabel"] if {"mask", "instances"} & set(task.fields) else []
    facts += ["things"] if isinstance(task, Instance) else []
    facts += ["keypoints"] if isinstance(task, Keypoint) else []
    for fact in facts:
        if made[fact] != here[fact]:
            raise ValueError(f"the checkpoint was made for {fact} {made[fact]}, this dataset has {here[fact]}")
    return data


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


def scores(task: Task | Scored, data: DataModule, split: str, trainer: L.Trainer) -> dict[str, float]:
    """Everything the task's suite says about a split, every sample counted once, at the size of its file."""
    data.evaluated = split
    trainer.test(task, datamodule=data, verbose=False)
    return task.scores["test"]
