"""Maps and objects: tasks, models and transforms of one do not go with the other's."""

from collections.abc import Iterator
from typing import Any

from src.run.combination.part import OBJECTS, class_of

_DETECTORS = (
    "fcis.FCIS",
    "mask_rcnn.MaskRCNN",
    "faster_rcnn.FasterRCNN",
    "keypoint_rcnn.KeypointRCNN",
    "mnc.MNC",
    "sds.SDS",
)


def problems(config: dict[str, Any]) -> Iterator[str]:
    """What asks for maps where objects are found, or the reverse: each problem in one sentence that says what fits."""
    if all(class_of(config[part]).startswith("src.") for part in ("task", "model")):
        yield from _kinds(config)
        yield from _pictures(config)


def _kinds(config: dict[str, Any]) -> Iterator[str]:
    """Maps and objects are found by different models."""
    task, model = class_of(config["task"]), class_of(config["model"]).removeprefix("src.model.")
    objects, finds, word = task in OBJECTS, model in _DETECTORS, model.partition(".")[0]
    if finds and not objects:
        kind = "keypoint" if word == "keypoint_rcnn" else "instance"
        yield f"model={word} finds objects, and this task wants a map: take task={kind}, or a model such as unet"
    if objects and not finds:
        fit = "keypoint_rcnn" if task == OBJECTS[1] else "mask_rcnn or faster_rcnn"
        yield f"this model gives a map, and the task wants objects: take model={fit}, or task=semantic"
    if finds and objects and (task == OBJECTS[1]) != (word == "keypoint_rcnn"):
        yield (
            "model=keypoint_rcnn finds keypoints, for task=keypoint; task=instance takes model=mask_rcnn or faster_rcnn"
            if word == "keypoint_rcnn"
            else f"task=keypoint needs a model that finds them, and model={word} does not: take model=keypoint_rcnn"
        )


def _pictures(config: dict[str, Any]) -> Iterator[str]:
    """Transforms and data of maps have no objects."""
    objects = class_of(config["task"]) in OBJECTS
    if objects and class_of(config["transform"]).rpartition(".")[2] in ("Patch", "Objects"):
        yield "this transform cuts a map to pieces, and the task learns objects: take transform=instance"
    if objects and config["data"].get("weak"):
        yield "data.weak makes masks of clicks, and this task learns objects: leave it out, or take task=semantic"
