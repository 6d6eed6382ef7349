"""Which loss prices which task: a class of src.loss says so itself, `prices = ("depth", "normals")`."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml

from src.run import plugins
from src.run.combination.loss import leaves
from src.run.combination.part import class_of, said


def problems(config: dict[str, Any]) -> Iterator[str]:
    """Losses that cannot price what the task learns: each in one sentence that names those that can."""
    task, loss = config["task"], config["loss"]
    if not class_of(task).startswith("src.task."):
        return
    yield from _unfit("loss", loss, task)
    parts = task.get("parts") or {}  # of a joint task, each with a loss below its name
    for field in (name for name in task.get("fields", ()) if name in parts and isinstance(loss.get(name), dict)):
        yield from _unfit(f"loss.{field}", loss[field], parts[field])


@cache
def options(task: str) -> tuple[str, ...]:
    """The choices of conf/loss that price a task, by its name on the command line."""
    return tuple(sorted(file.stem for file in (plugins.CONF / "loss").glob("*.yaml") if task in _prices(file.stem)))


def _unfit(path: str, loss: dict[str, Any], task: dict[str, Any]) -> Iterator[str]:
    word = class_of(task).split(".")[2]
    group = path.replace("loss.", "loss@loss.")  # how it is said on the command line
    for place, part in leaves(loss, path):
        target = class_of(part)
        prices = said(target, "prices") if target.startswith("src.") else None  # of your own: you know what it prices
        if prices is not None and word not in prices:
            yield (
                f"{place}={_name(target)} is for task={_either(prices)}, and this is task={word}: take {group}="
                f"{_either(options(word))}"
            )
        if said(target, "measure") == "log" and task.get("measure") == "metres":
            fits = [option for option in options(word) if not _logs(option)]
            yield (
                f"{place}={_name(target)} compares logs of depths, and task.measure=metres gives metres: say "
                f"task.measure=log, or take {group}={_either(fits)}"
            )


def _prices(option: str) -> frozenset[str]:
    """The tasks that a choice of conf/loss is for; those of a sum are what all of its terms price."""
    return frozenset.intersection(*(frozenset(said(target, "prices") or ()) for target in _targets(option)))


def _logs(option: str) -> bool:
    return any(said(target, "measure") == "log" for target in _targets(option))


def _targets(option: str) -> list[str]:
    """The class of a choice of conf/loss: its own, that of the choice it changes, or those of the terms it adds up."""
    content = yaml.safe_load((plugins.CONF / "loss" / f"{option}.yaml").read_text(encoding="utf8"))
    others = [item for item in content.get("defaults", ()) if isinstance(item, str) and item != "_self_"]
    terms = [item for item in others if "@losses." in item]
    if "_target_" in content and not terms:
        return [content["_target_"]]
    return [target for item in terms or others for target in _targets(item.partition("@")[0])]


def _name(target: str) -> str:
    return target.split(".")[-2]


def _either(words: Any) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last
