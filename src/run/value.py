"""Whether a value of a config may stand where an annotation and a limit are."""

import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from src.run.interval import Limit, allows, not_finite, problem
from src.run.nearest import did_you_mean
from src.run.signature import Part

_SIMPLE = (bool, int, float, str, type(None))


def check_value(path: str, value: Any, annotation: Any, limit: Limit | None) -> None:
    """Raise ValueError if the value at `path` is not what `annotation` and `limit` ask for, saying what is."""
    if value == "???":
        raise ValueError(f"{path}=... is missing, and it has no default: say it on the command line")
    if not_finite(value):
        raise ValueError(f"{path}={value}: expected a number, and this is none")
    stranger = _stranger(value, annotation)
    if stranger is not None:
        near = did_you_mean(stranger, [key for key in value if key != stranger])
        raise ValueError(f"{path}.{stranger}: says no _target_, so it is no part{near}")
    replaced = callable(limit) or (isinstance(limit, tuple) and allows(value, limit))
    if not replaced and not _fits(value, annotation):
        words = [str(word) for word in _words(annotation)]
        but = did_you_mean(value, words) if words and isinstance(value, str) else f", not {_named(type(value))}"
        raise ValueError(f"{path}={_shown(value)}: expected {_named(annotation)}{but}")
    wanted = None if limit is None or (value is None and isinstance(limit, str)) else problem(value, limit)
    if wanted:
        raise ValueError(f"{path}={_shown(value)}: expected {wanted}")


def _stranger(value: Any, annotation: Any) -> str | None:
    """The first of a mapping of parts that is a mapping of something else."""
    options = [annotation, *typing.get_args(annotation)]
    if not isinstance(value, Mapping) or not any(_fits({"": {"_target_": ""}}, option) for option in options):
        return None
    if annotation is Any or "_target_" in value:
        return None
    return next((str(key) for key, item in value.items() if isinstance(item, Mapping) and "_target_" not in item), None)


def _fits(value: Any, annotation: Any) -> bool:
    """Whether a value may stand where `annotation` is; what is not understood is left to the target."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, option) for option in inner)
    if origin is typing.Literal:
        return any(type(value) is type(word) and value == word for word in inner)
    if origin in (Sequence, list, tuple):
        items = inner[0] if inner else Any
        return isinstance(value, list | tuple) and all(_fits(item, items) for item in value)
    if origin in (Mapping, dict):
        return (
            isinstance(value, Mapping) and "_target_" not in value and all(_fits(v, inner[-1]) for v in value.values())
        )
    if annotation is Part:
        return isinstance(value, Mapping) and "_target_" in value
    if annotation in (None, type(None)):
        return value is None
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if annotation in (list, tuple, dict):
        return isinstance(value, annotation if annotation is dict else list | tuple)
    return isinstance(value, annotation) if annotation in _SIMPLE else True


def _named(annotation: Any) -> str:
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_named(option) for option in inner))
    if origin is typing.Literal:
        return ", ".join(map(str, inner))
    if origin in (Sequence, list, tuple) or annotation in (list, tuple):
        return f"list of {_named(inner[0])}" if inner and inner[0] is not Any else "list"
    if origin in (Mapping, dict) or annotation is dict:
        return f"mapping to {_named(inner[-1])}" if inner and inner[-1] is not Any else "mapping"
    if annotation in (None, type(None)):
        return "null"
    if annotation is Part:
        return "a part with a _target_"
    return str(annotation) if annotation is Path else getattr(annotation, "__name__", str(annotation))


def _words(annotation: Any) -> list[Any]:
    """What a Literal allows, alone or beside other types."""
    inner = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Literal:
        return list(inner)
    return [word for option in inner for word in _words(option)]


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 80 else f"{text[:77]}..."
