"""A task of several fields: which, and a model and losses that have all of them."""

from collections.abc import Iterator
from typing import Any

from src.run.combination import loss
from src.run.combination.part import class_of
from src.run.nearest import did_you_mean

JOINT = "src.task.joint.Joint"
_MODELS = ("src.model.multi_head.MultiHead", "src.model.eigen_fergus.EigenFergus")  # a map for each field
_LIKELIHOODS = ("src.loss.angmf.AngMF",)  # losses that may fall below 0


def problems(config: dict[str, Any]) -> Iterator[str]:
    """What a joint task asks for and its parts have not: each problem in one sentence that says what would fit."""
    if class_of(config["task"]) != JOINT:
        return
    yield from _fields(config)
    yield from _model(config)
    for field in config["task"]["fields"]:
        yield from _loss(config, field)


def _fields(config: dict[str, Any]) -> Iterator[str]:
    fields, parts = config["task"]["fields"], config["task"]["parts"]
    if not fields or len(set(fields)) < len(fields):
        yield f"task.fields={fields}: name one field or more, each once, of {', '.join(parts)}"
    for field in fields:
        if field not in parts:
            yield f"task.fields names {field!r}{did_you_mean(field, parts)} There are: {', '.join(parts)}"


def _model(config: dict[str, Any]) -> Iterator[str]:
    model = class_of(config["model"])
    if model.startswith("src.") and model not in _MODELS:
        yield "this model gives one map, and task=joint wants one for each field: take model=multi_head"


def _loss(config: dict[str, Any], field: str) -> Iterator[str]:
    """A field's loss as if the field were alone, and what the weighting makes of it."""
    whole, task = config["loss"], config["task"]["parts"][field]
    part = whole.get(field)
    if class_of(whole) != "src.loss.joint.Joint":
        return
    if not class_of(part):
        yield f"loss.{field}: there is none, and task.fields names {field}: choose one with +loss@loss.{field}=..."
        return
    if "multilabel" in task:
        yield from (f"task.parts.{field}: {said}" for said in loss.problems(config | {"task": task, "loss": part}))
    if class_of(whole["weighting"]).endswith("Uncertainty") and class_of(part) in _LIKELIHOODS:
        yield (
            f"loss/weighting=uncertainty weighs losses that are above 0, and loss.{field} may fall below: take another "
            f"loss@loss.{field}, or loss/weighting=gradient_norm or fixed"
        )
