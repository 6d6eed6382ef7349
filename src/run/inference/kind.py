"""Which options go with which kind of checkpoint: maps are tiled and averaged, objects are chosen by their score."""

from collections.abc import Sequence
from typing import Any

from src.task.instance import Instance
from src.task.task import Task

# Options by what they are when they ask for nothing.
_OF_MAPS = {
    "tile": None,
    "mirror": False,
    "scales": [1.0],
    "probabilities": False,
    "one_hot": False,
    "min_object": 0,
}
_OF_OBJECTS = {"score_threshold": 0.5, "top_k": 100, "crops": False, "coco": None}


def finds_objects(tasks: Sequence[Task], options: dict[str, Any]) -> bool:
    """Whether the checkpoints are of a detector, with options that go with that.

    Args:
        options: of src.predict or src.evaluate as plain containers.

    Raises:
        ValueError: there are several and one is a detector, or an option is of the other kind.
    """
    finds = isinstance(tasks[0], Instance)
    if any(isinstance(task, Instance) for task in tasks) and len(tasks) > 1:
        raise ValueError(
            f"ckpt: {len(tasks)} checkpoints, and one of them finds objects, which have no probabilities to combine: "
            "give it alone"
        )
    strange = _OF_MAPS if finds else _OF_OBJECTS
    wanted = [key for key, nothing in strange.items() if key in options and options[key] != nothing]
    for key in wanted:
        made = "finds objects, and this is of maps" if finds else "makes maps, and this is of objects"
        raise ValueError(f"{key}={options[key]}: the checkpoint {made}: leave it out")
    if finds and options.get("objects") == "watershed":
        raise ValueError("objects=watershed: the checkpoint's objects are told apart already: say objects=true")
    return finds
