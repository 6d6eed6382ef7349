"""Every key of a composed config is known, and its value of the right type and size, before anything heavy starts."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import yaml

from src.run import combination, plugins
from src.run.build import shipped, targets
from src.run.limits import limits
from src.run.nearest import did_you_mean, one_edit
from src.run.signature import signature
from src.run.value import check_value

_HYDRA = {"_target_", "_partial_", "_convert_", "_recursive_", "_args_"}
# Plain keys of a command that go to these: a null says "as in training".
_PASSED = {"data": "src.data.datamodule.DataModule", "trainer": "lightning.Trainer"}
# What is behind a null, or behind a value that has to be given; the default's own type says the rest.
_TYPES = {
    "train.resume": str | None,
    "train.init": str | None,
    "evaluate.ckpt": str | Sequence[str],
    "evaluate.output": str | None,
    "evaluate.allow": Sequence[str],
    "predict.ckpt": str | Sequence[str],
    "predict.input": str | Sequence[str],
    "predict.output": str,
    "predict.tile": int | Sequence[int] | None,
    "predict.allow": Sequence[str],
    "predict.coco": str | None,
    "profile.output": str | None,
    "score.prediction": str,
    "score.target": str,
    "score.num_classes": int | None,
    "score.ignore_index": int | None,
    "score.void": int | None,
    "score.output": str | None,
}
_LATER = ("sweep",)  # what configs of older runs lack, and no run needs


def check(config: dict[str, Any], command: str = "train") -> None:
    """Raise ValueError for the first key that is not known, or whose value cannot be meant.

    Nothing is imported for that but what the source alone does not explain.

    Args:
        config: plain containers, as `plain` makes them; "???" marks what the user still has to give.
        command: conf/<command>.yaml says which keys there are.
    """
    own = {key: value for key, value in _file(f"{command}.yaml").items() if key not in ("defaults", "hydra")}
    groups = _groups(_file(f"{command}.yaml").get("defaults", []))
    groups = {group: option for group, option in groups.items() if group in config or group not in _LATER}
    _keys("", config, {**own, **groups})
    for key, default in own.items():
        _plain(key, config[key], default, command)
    for group, option in groups.items():
        _group(group, config[group], option)
    parts(config)
    if command == "train":
        combination.check(config)


def parts(config: Any) -> None:
    """Hold every part of a config against what its `_target_` takes. Raises ValueError as `check` does."""
    for path, node in targets(config):
        name = node["_target_"]
        if not isinstance(name, str):
            raise ValueError(f"{path}._target_={name!r}: the dotted name of a class or function was expected")
        try:
            found = signature(name)
            known, taken, ranges = dict(found.names), found.open, limits(name)
            if found.passes_on:  # what else is said goes to this part (a DataModule's dataset)
                inner = node[found.passes_on]["_target_"]
                passed = signature(inner)
                own = {key: limit for key, limit in ranges.items() if key in known}
                known, taken, ranges = {**passed.names, **known}, passed.open, {**limits(inner), **own}
        except ValueError as error:
            raise ValueError(f"{path}._target_={name}: {error}") from error
        later = found.later if node.get("_partial_") and name.startswith("src.") else frozenset()
        known = {key: annotation for key, annotation in known.items() if key not in later}
        for key, value in node.items():
            if key in _HYDRA:
                continue
            place = f"{path}.{key}"
            if key in later:
                raise ValueError(f"{place}: is not for you to say, it follows from the data and the other parts")
            if key not in known:
                said = [*known, *shipped().get(name, ())]
                if taken and (key in said or name not in shipped() or not any(one_edit(key, other) for other in said)):
                    continue
                hint = f"{did_you_mean(key, said)} It takes: {', '.join(known)}"
                raise ValueError(f"{place}: {name} has no such argument{hint}")
            check_value(place, value, known[key], ranges.get(key))


@cache
def _file(path: str) -> dict[str, Any]:
    return yaml.safe_load((plugins.CONF / path).read_text(encoding="utf8")) or {}


def _groups(defaults: Iterable[Any]) -> dict[str, str | list[str]]:
    """The groups that a command composes, with the option that it takes by itself."""
    said = [item for item in defaults if isinstance(item, dict)]
    return {
        key: option
        for item in said
        for key, option in item.items()
        if not key.startswith("override ") and option is not None
    }


def _keys(path: str, config: dict[str, Any], known: Iterable[str]) -> None:
    for key in map(str, config):
        if "/" in key:  # `+model/bakbone=resnet18`: a group that is none becomes a key
            raise ValueError(f"{key}: no such group{did_you_mean(key, plugins.groups())} See --help for all of them")
        if key not in known:
            near = did_you_mean(key, [*known, *([] if path else plugins.groups())])
            raise ValueError(f"{path}{key}: no such key{near} There are: {', '.join(known)}")
    for key in known:
        if key not in config:
            raise ValueError(f"{path}{key}: is missing; give it a value, what the program reads cannot be deleted")


def _plain(path: str, value: Any, default: Any, command: str) -> None:
    """A key that is no part: of its default's type, or what the tables say."""
    if isinstance(default, dict):
        if not isinstance(value, dict):
            raise ValueError(f"{path}={value!r}: expected the keys {', '.join(default)}")
        _keys(f"{path}.", value, default)
        for key, inner in default.items():
            _plain(f"{path}.{key}", value[key], inner, command)
        return
    group, _, key = path.partition(".")
    if key and group in _PASSED:
        known, ranges = signature(_PASSED[group]).names, limits(_PASSED[group])
        if value is not None:
            check_value(path, value, known.get(key, Any), ranges.get(key))
        return
    check_value(path, value, _TYPES.get(f"{command}.{path}", _like(default)), limits(command).get(path))


def _like(default: Any) -> Any:
    if default is None or default == "???":
        return Any
    return Sequence[Any] if isinstance(default, list) else type(default)


def _group(group: str, value: Any, option: str | list[str]) -> None:
    """A group is one part, or several by name."""
    if isinstance(value, dict) and "_target_" in value:
        _whole(group, value)
        return
    if not isinstance(value, dict) or not _several(group, option):
        raise ValueError(f"{group}: says no _target_, so nothing can be built from it; choose one with {group}=...")
    for key, part in value.items():
        if not isinstance(part, dict) or "_target_" not in part:
            others = [name for name in value if name != key]
            raise ValueError(f"{group}.{key}: says no _target_, so it is no part{did_you_mean(key, others)}")


def _several(group: str, option: str | list[str]) -> bool:
    name = option[0] if isinstance(option, list) else option
    content = _file(f"{group}/{name}.yaml")
    return group not in content and "_target_" not in content


def _whole(group: str, part: dict[str, Any]) -> None:
    """The keys that the program reads itself must not be deleted."""
    read = {
        "trainer": ("accelerator", "devices", "strategy", "precision", "sync_batchnorm", "deterministic",
                    "limit_val_batches", "max_epochs", "max_steps"),
        "data": ("dataset", "size", "batch_size"),
        "optimizer": ("lr",),
    }  # fmt: skip
    for key in read.get(group, ()):
        if key not in part:
            raise ValueError(f"{group}.{key}: is missing; give it a value, what the program reads cannot be deleted")
