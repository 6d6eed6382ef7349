"""What tasks, models and transforms need of objects, and data that has none of it."""

from collections.abc import Iterator
from typing import Any

from src.run.combination.part import OBJECTS, class_of

_COCO, _LSPET = "src.data.coco.COCO", "src.data.lspet.LSPET"  # the latter's objects are boxes and joints


def problems(config: dict[str, Any]) -> Iterator[str]:
    """What the data lacks, where its own options say so: each problem in one sentence that says what would fit."""
    yield from _keypoints(config)
    yield from _masks(config)
    yield from _pasted(config)


def _keypoints(config: dict[str, Any]) -> Iterator[str]:
    data = config["data"]
    official = class_of(data.get("dataset")) == _COCO and not data.get("file")
    if class_of(config["task"]) == OBJECTS[1] and official and data["annotations"] == "instances":
        yield (
            "task=keypoint needs keypoints, and data.annotations=instances has none: say "
            "data.annotations=person_keypoints"
        )


def _masks(config: dict[str, Any]) -> Iterator[str]:
    model = config["model"]
    word = class_of(model).removeprefix("src.model.").partition(".")[0]
    masked = model.get("masks", word in ("mask_rcnn", "fcis", "mnc", "sds"))
    if class_of(config["data"].get("dataset")) == _LSPET and class_of(config["task"]) in OBJECTS and masked:
        other = "model.masks=false" if "masks" in model else "task=keypoint, or model=faster_rcnn for boxes"
        yield f"model={word} learns masks, and data=lspet has none: take {other}"


def _pasted(config: dict[str, Any]) -> Iterator[str]:
    task = class_of(config["task"])
    if class_of(config["transform"]) != "src.data.transform.copy_paste.CopyPaste" or not task.startswith("src."):
        return
    if task not in OBJECTS:
        yield "transform=copy_paste pastes objects, which this task has not: take transform=strong, or task=instance"
    if class_of(config["data"].get("dataset")) == _LSPET:
        yield "transform=copy_paste cuts objects out by their masks, and data=lspet has none: take transform=instance"
