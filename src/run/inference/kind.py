"""Which options go with which kind of checkpoint: class maps, objects, or numbers such as depth."""

from collections.abc import Sequence
from typing import Any

from src.task.colorization import Colorization
from src.task.depth import Depth
from src.task.instance import Instance
from src.task.joint import Joint
from src.task.normals import Normals
from src.task.regression import Regression
from src.task.task import Task

_NUMBERS = (Colorization, Depth, Joint, Normals, Regression)
# Options by what they are when they ask for nothing.
_OF_MAPS = {"tile": None, "mirror": False, "scales": [1.0]}
_OF_CLASSES = {"probabilities": False, "one_hot": False, "min_object": 0}
_OF_OBJECTS = {"score_threshold": 0.5, "top_k": 100, "crops": False, "coco": None}
_OF_NUMBERS = {"depth_scale": 1000, "npy": False, "points": False, "focal": None, "field_of_view": None}


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
    if finds:
        _refuse(_OF_MAPS | _OF_CLASSES, options, "finds objects, and this is of maps")
        _refuse(_OF_NUMBERS, options, "finds objects, and this is of depth and other numbers")
        if options.get("objects") == "watershed":
            raise ValueError("objects=watershed: the checkpoint's objects are told apart already: say objects=true")
    else:
        _refuse(_OF_OBJECTS, options, "makes maps, and this is of objects")
    return finds


def gives_numbers(tasks: Sequence[Task], options: dict[str, Any]) -> bool:
    """Whether the checkpoints answer with depth, normals, colours or other numbers, with options that go with that.

    Args:
        tasks: none of them a detector's.
        options: of src.predict or src.evaluate as plain containers.

    Raises:
        ValueError: some do and some do not, or an option is of the other kind.
    """
    numbers = isinstance(tasks[0], _NUMBERS)
    for number, task in enumerate(tasks[1:], 2):
        if type(task) is not type(tasks[0]) and (numbers or isinstance(task, _NUMBERS)):
            first, other = (type(each).__name__.lower() for each in (tasks[0], task))
            raise ValueError(f"ckpt: number 1 was made for {first}, number {number} for {other}: give them apart")
    if not numbers:
        _refuse(_OF_NUMBERS, options, "makes class maps, and this is of depth and other numbers")
        return False
    _refuse(_OF_CLASSES | {"objects": False}, options, "gives numbers, and this is of class maps")
    if len(tasks) > 1 and options.get("combine", "mean") != "mean":
        raise ValueError(f"combine={options['combine']}: numbers of several checkpoints are averaged: leave it out")
    _check_points(tasks[0], options)
    return True


def _check_points(task: Task, options: dict[str, Any]) -> None:
    """That a point cloud has depth and a camera."""
    camera = {key: options[key] for key in ("focal", "field_of_view") if options.get(key) is not None}
    parts = task.parts.values() if isinstance(task, Joint) else [task]
    if not options.get("points"):
        if camera:
            said = ", ".join(f"{key}={value}" for key, value in camera.items())
            raise ValueError(f"{said}: the camera is needed for a point cloud alone: say points=true, or leave it out")
        return
    if not any(isinstance(part, Depth) for part in parts):
        raise ValueError("points=true: a point cloud is made from depth, which the checkpoint does not give")
    if len(camera) != 1:
        raise ValueError(
            f"points=true: points in space need the camera, and {'both are' if camera else 'nothing is'} said of it: "
            "give focal=PIXELS, or field_of_view=DEGREES, the angle that the width of the images spans"
        )


def _refuse(strange: dict[str, Any], options: dict[str, Any], said: str) -> None:
    for key, nothing in strange.items():
        if key in options and options[key] != nothing:
            raise ValueError(f"{key}={options[key]}: the checkpoint {said}: leave it out")
