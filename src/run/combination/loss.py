"""Losses and the masks that they price: a class for each pixel, or masks that overlap."""

from collections.abc import Iterator
from typing import Any

from src.run.combination.part import class_of
from src.run.nearest import did_you_mean

_ONE_CLASS = (
    "cross_entropy.CrossEntropy",
    "weighted_cross_entropy.WeightedCrossEntropy",
    "border_cross_entropy.BorderCrossEntropy",
    "ohem_cross_entropy.OhemCrossEntropy",
)
_CAMVID = ("src.data.camvid.CamVid", "src.data.folder.Folder")  # may hold its 11 classes
_OVERLAPPING = "binary_cross_entropy, focal, dice, soft_dice, tversky or lovasz"


def problems(config: dict[str, Any]) -> Iterator[str]:
    """What a loss asks of the masks that they are not: each problem in one sentence that says what would fit."""
    yield from _masks(config)
    yield from _loss(config)


def _masks(config: dict[str, Any]) -> Iterator[str]:
    task, data = config["task"], config["data"]
    overlapping = task.get("multilabel", False)
    if "multilabel" in data and data["multilabel"] != overlapping:
        yield f"task.multilabel={overlapping}, but data.multilabel={data['multilabel']}: say the same of both".lower()
    if overlapping and "multilabel" not in data and class_of(data.get("dataset")).startswith("src."):
        yield "task.multilabel=True, but the dataset has one class per pixel: take data=folder data.multilabel=true"


def _loss(config: dict[str, Any]) -> Iterator[str]:
    overlapping = config["task"].get("multilabel", False)
    for path, part in leaves(config["loss"]):
        name = class_of(part).removeprefix("src.loss.")
        if overlapping and name in _ONE_CLASS:
            word = name.partition(".")[0]
            yield f"{path}={word} needs one class per pixel, but task.multilabel=true: take {_OVERLAPPING}"
        if overlapping and part.get("include_background") is False:
            yield f"{path}.include_background=false leaves class 0 out, but overlapping masks have no background"
        if name == "focal.Focal" and part.get("alpha") is not None and not overlapping:
            classes = config["data"].get("classes")
            if (len(classes) if isinstance(classes, list) else classes) != 1:
                yield f"{path}.alpha weighs a yes against a no, but each pixel has one class: say {path}.alpha=null"
        dataset = class_of(config["data"].get("dataset"))
        if part.get("weights") == "segnet" and dataset.startswith("src.") and dataset not in _CAMVID:
            yield f"{path}.weights=segnet are CamVid's: take data=camvid, or {path}.weights=median_frequency"


def leaves(loss: dict[str, Any], path: str = "loss") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each loss of a config, with its path: a sum's terms, or the loss itself. Raises ValueError for a term without a
    weight, or the reverse."""
    inner = loss.get("losses")
    if not isinstance(inner, dict):
        yield path, loss
        return
    weights = loss.get("weights") or {}
    for name in [*weights, *inner]:
        if name not in inner or name not in weights:
            others = inner if name not in inner else weights
            known, lacks = ("losses", "weights") if name in weights else ("weights", "losses")
            raise ValueError(
                f"{path}.{lacks}.{name}: has nothing of that name in {path}.{known}{did_you_mean(name, others)}"
            )
    for name, part in inner.items():
        yield from leaves(part, f"{path}.losses.{name}")
