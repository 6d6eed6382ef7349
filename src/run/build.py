"""The one place where a config becomes objects."""

import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any

import hydra.utils
import yaml
from omegaconf import DictConfig

from src.run import plugins


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
def shipped() -> frozenset[str]:
    """Every `_target_` of the configs that come with the project."""
    files = [*plugins.CONF.rglob("*.yaml"), *(plugins.ROOT / "experiments").rglob("*.yaml")]
    return frozenset(node["_target_"] for file in files for _, node in targets(yaml.safe_load(file.read_text("utf8"))))


def trusted(config: dict[str, Any], allow: list[str] | None = None) -> dict[str, Any]:
    """The config of a checkpoint, if it only names what this project ships or the user allows by exact name.

    Raises:
        ValueError: a `_target_` is neither shipped nor allowed, or is allowed but builds nothing a model is made of.
    """
    for path, node in targets(config):
        name = node["_target_"]
        if name not in shipped() and name not in (allow or []):
            raise ValueError(
                f"the checkpoint's config asks for {name!r} (at {path}), which is not part of this project. "
                f"If it is yours and you trust the file, say allow=[{name}]"
            )
        if name not in shipped() and not _is_part(name):
            raise ValueError(f"allow=[{name}]: not a Module, Optimizer, LRScheduler, Metric, Dataset or transform")
    return config


def _is_part(name: str) -> bool:
    from torch.nn import Module
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import LRScheduler
    from torch.utils.data import Dataset

    part = hydra.utils.get_object(name)
    kinds = (Module, Optimizer, LRScheduler, Dataset)  # Metric and v2.Transform are Modules
    return inspect.isclass(part) and (issubclass(part, kinds) or hasattr(part, "describe"))


def plain(config: DictConfig) -> dict[str, Any]:
    """The config as plain containers with every interpolation resolved."""
    from omegaconf import OmegaConf

    container = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
    assert isinstance(container, dict)
    return container
