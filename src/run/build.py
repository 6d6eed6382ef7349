"""The one place where a config becomes objects."""

import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any

import hydra.utils
import yaml
from omegaconf import DictConfig

from src.run import plugins
from src.run.signature import imported

_BUILT = ("data", "transform", "model", "loss", "optimizer", "scheduler", "task")  # of a checkpoint's config
_FORMER = ("lightning.pytorch.loggers.TensorBoardLogger", "lightning.pytorch.loggers.WandbLogger")  # in old checkpoints
_MOST, _DEEPEST = 100_000, 100  # values in a config, levels


def build(node: Any, **more: Any) -> Any:
    """The object that `node` describes, given `more` arguments; lists and dicts arrive as plain containers.

    Without `_convert_="all"` a list would arrive as a ListConfig, which some libraries take for something else.
    """
    if not more:
        return hydra.utils.instantiate(node, _convert_="all")
    # Given to `instantiate`, a dataclass among `more` would become a config.
    return hydra.utils.instantiate(node, _convert_="all", _partial_=True)(**more)


def targets(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every part of a plain config that names a `_target_`, with its dotted path."""
    if isinstance(node, dict):
        if "_target_" in node:
            yield path, node
        for key, value in node.items():
            yield from targets(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from targets(value, f"{path}[{index}]")


@cache
def shipped() -> dict[str, set[str]]:
    """Every `_target_` of the configs that come with the project, and the keys that they say beside it."""
    found: dict[str, set[str]] = {name: set() for name in _FORMER}
    for file in [*plugins.CONF.rglob("*.yaml"), *(plugins.ROOT / "experiments").rglob("*.yaml")]:
        for _, node in targets(yaml.safe_load(file.read_text("utf8"))):
            found.setdefault(node["_target_"], set()).update(key for key in node if not key.startswith("_"))
    return found


def trusted(config: Any, allow: list[str] | None = None) -> dict[str, Any]:
    """The config of a checkpoint, if it only names what this project ships or the user allows by exact name.

    A shipped name counts where the shipped configs have it: what builds an optimizer is no model.

    Raises:
        ValueError: a `_target_` is neither shipped nor allowed, or is allowed but builds nothing a model is made of;
            or the config holds anything but plain values, such as an interpolation, which could become a `_target_`.
    """
    if not isinstance(config, dict):
        raise ValueError(f"the checkpoint's config is {type(config).__name__}, not a mapping; it is not of src.train")
    for path, value in _values(config):
        if not isinstance(value, dict | list | str | int | float | None):
            raise ValueError(
                f"the checkpoint's config holds {type(value).__name__} at {path}; plain values were expected"
            )
        if isinstance(value, str) and "${" in value:
            raise ValueError(
                f"the checkpoint's config holds the interpolation {value!r} at {path}, which is not resolved"
            )
        if isinstance(value, dict) and any(str(key).startswith("_") for key in value):
            _trust(path, value, allow or [])
    return config


def _trust(path: str, node: dict[str, Any], allow: list[str]) -> None:
    name = node.get("_target_")
    if not isinstance(name, str) or name not in shipped():
        if name not in allow:
            raise ValueError(
                f"the checkpoint's config asks for {name!r} (at {path}), which is not part of this project. "
                f"If it is yours and you trust the file, say allow=[{name}]"
            )
        if not _is_part(name):
            raise ValueError(f"allow=[{name}]: not a Module, Optimizer, LRScheduler, Metric, Dataset or transform")
    elif (group := path.partition(".")[0]) in _BUILT and name not in _shipped_in(group):
        raise ValueError(f"the checkpoint's config asks for {name!r} at {path}, where it does not belong")
    special = [key for key in node if str(key).startswith("_") and key not in ("_target_", "_partial_")]
    if special:
        raise ValueError(f"the checkpoint's config says {', '.join(special)} at {path}, which no config of ours does")


@cache
def _shipped_in(group: str) -> frozenset[str]:
    files = (plugins.CONF / group).rglob("*.yaml")
    return frozenset(node["_target_"] for file in files for _, node in targets(yaml.safe_load(file.read_text("utf8"))))


def _values(config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Everything in the config with its dotted path; a loop, or a flood behind few references, is refused."""
    waiting: list[tuple[str, Any, int]] = [("", config, 0)]
    for _ in range(_MOST):
        if not waiting:
            return
        path, value, depth = waiting.pop()
        yield path, value
        if isinstance(value, dict):
            waiting += [(f"{path}.{key}" if path else str(key), item, depth + 1) for key, item in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{path}[{index}]", item, depth + 1) for index, item in enumerate(value)]
        if depth > _DEEPEST:
            break
    raise ValueError(f"the checkpoint's config is no config: more than {_MOST} values, or {_DEEPEST} levels")


def _is_part(name: str) -> bool:
    from torch.nn import Module
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler
    from torch.utils.data import Dataset

    try:
        part = imported(name)
    except ImportError as error:
        raise ValueError(f"allow=[{name}]: cannot be imported ({error})") from error
    kinds = (Module, Optimizer, LRScheduler, Dataset)  # Metric and v2.Transform are Modules
    return inspect.isclass(part) and (issubclass(part, kinds) or hasattr(part, "describe"))


def plain(config: DictConfig) -> dict[str, Any]:
    """The config as plain containers with every interpolation resolved."""
    from omegaconf import OmegaConf

    container = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
    assert isinstance(container, dict)
    return container
