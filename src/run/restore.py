"""From a checkpoint alone back to the task that wrote it; no dataset is needed."""

from pathlib import Path
from typing import Any

from src.data.description import Description
from src.run import checkpoint
from src.run.build import build, trusted
from src.run.quiet import quiet
from src.task.task import Task


def restored(path: Path, allow: list[str] | None = None) -> tuple[Task, dict[str, Any]]:
    """The task with its weights, ready to evaluate or predict, and the config of its run.

    Args:
        path: of a checkpoint that src.train wrote.
        allow: exact names of your own classes that the config may build.

    Raises:
        ValueError: the file is missing, damaged, from another program, or asks for what is not allowed.
    """
    quiet()
    contents = checkpoint.load(path)
    if "config" not in contents or "description" not in contents:
        raise ValueError(f"{path}: carries no config; a checkpoint of src.train was expected")
    config = trusted(contents["config"], allow)
    for part in [config["model"], *config["model"].values()]:  # the weights are in the checkpoint
        if isinstance(part, dict) and part.get("weights"):
            part["weights"] = None
    try:
        description = Description.of(contents["description"])
    except (TypeError, AttributeError) as error:
        raise ValueError(f"{path}: its description of the dataset cannot be read ({error})") from error
    task = assembled(config, description)
    checkpoint.load_weights(task, path, contents["state_dict"])
    return task.eval(), config


def assembled(config: dict[str, Any], description: Description) -> Task:
    """The task that a config describes, for a dataset of that description."""
    return build(
        config["task"],
        description=description,
        model=build(config["model"]),
        loss=build(config["loss"]),
        optimizer=build(config["optimizer"]),
        scheduler=build(config["scheduler"]),
    )
