"""Holds every key of a composed config against the signature of what it will build, before anything heavy starts."""

import inspect
import types
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hydra.utils

from src.run.build import targets
from src.run.nearest import did_you_mean

_HYDRA = {"_target_", "_partial_", "_convert_", "_recursive_", "_args_"}
_SIMPLE = (bool, int, float, str, type(None))


def check(config: dict[str, Any]) -> None:
    """Raise ValueError for the first key that its target does not take, or whose value is of another simple type.

    Args:
        config: plain containers, as `plain` makes them; "???" marks what the user still has to give.
    """
    for path, node in targets(config):
        target = _found(node["_target_"], path)
        known = _parameters(target)
        if known is None:
            continue
        if getattr(target, "passes_on", None):  # what else is said goes to this part (a DataModule's dataset)
            known = {**(_parameters(_found(node[target.passes_on]["_target_"], path)) or {}), **known}
        for key, value in node.items():
            if key in _HYDRA:
                continue
            if key not in known:
                raise ValueError(
                    f"{path}.{key}: {node['_target_']} has no such argument{did_you_mean(key, known)} "
                    f"It takes: {', '.join(known)}"
                )
            if value == "???":
                raise ValueError(f"{path}.{key} has no default: say {path}.{key}=... on the command line")
            if not _fits(value, known[key]):
                raise ValueError(f"{path}.{key}={value!r}: expected {_named(known[key])}, not {type(value).__name__}")


def _found(name: str, path: str) -> Any:
    try:
        return hydra.utils.get_object(name)
    except Exception as error:
        raise ValueError(f"{path}._target_={name}: cannot be imported ({error})") from error


def _parameters(target: Callable[..., Any]) -> dict[str, Any] | None:
    """Names and annotations of what `target` takes; None where it takes any name."""
    known: dict[str, Any] = {}
    for part in target.__mro__[:-1] if inspect.isclass(target) else [target]:
        function = vars(part).get("__init__") if inspect.isclass(part) else part
        if function is None:
            continue
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):  # built in, without a signature
            return None
        kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        known = {p.name: p.annotation for p in parameters if p.kind in kinds and p.name != "self"} | known
        if not any(p.kind is p.VAR_KEYWORD for p in parameters) or hasattr(target, "passes_on"):
            return known
    return None  # whatever it is called with is passed on to nobody knows whom


def _fits(value: Any, annotation: Any) -> bool:
    """Whether a simple value may stand where `annotation` is; what is not simple is left to the target."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return any(_fits(value, option) for option in typing.get_args(annotation))
    if typing.get_origin(annotation) is typing.Literal:
        return value in typing.get_args(annotation)
    annotation = type(None) if annotation is None else annotation
    if annotation not in _SIMPLE:
        return not _wants_more(annotation) or not isinstance(value, _SIMPLE)
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, annotation)


def _wants_more(annotation: Any) -> bool:
    """Whether plain numbers and words are surely wrong here: a list, a dict or an object is asked for."""
    if typing.get_origin(annotation) in (list, dict, tuple):
        return True
    return isinstance(annotation, type) and annotation not in (Any, object, Path)


def _named(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
