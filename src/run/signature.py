"""What a config's target takes: the names of its arguments and what each of them may be."""

import ast
import builtins
import importlib
import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from src.run import source
from src.run.source import Source

_WELL_KNOWN = ("Tensor", "Module", "Metric", "MetricCollection", "Optimizer", "LRScheduler")


class Part:
    """Stands for any class in an annotation: what belongs there is built from a `_target_`."""


@dataclass
class Signature:
    """`names` maps arguments to annotations; `open` is whether others are taken, too, and go nobody knows where.

    `later` are those that the program gives itself, and `passes_on` the part that gets the other arguments.
    """

    names: dict[str, Any] = field(default_factory=dict)
    open: bool = False
    later: frozenset[str] = frozenset()
    passes_on: str | None = None


@cache
def signature(name: str) -> Signature:
    """The signature behind a dotted name, from its source if that is enough, else by importing it.

    Raises:
        ValueError: there is no such thing.
    """
    found = source.find(name)
    if found is not None and isinstance(found.node, ast.ClassDef):
        read = _of_class(found)
        if read is not None:
            return read
    elif found is not None and isinstance(found.node, ast.FunctionDef):
        return _of_function(found, found.node)
    return _imported(name)


def _of_class(found: Source, seen: int = 0) -> Signature | None:
    """The class's own `__init__`, with its parents' where it hands further arguments on to them."""
    assert isinstance(found.node, ast.ClassDef)
    own, passes_on = None, None
    fields: dict[str, Any] = {}
    for statement in found.node.body:
        match statement:
            case ast.FunctionDef(name="__init__"):
                own = _of_function(found, statement)
            case ast.Assign(targets=[ast.Name(id="passes_on")], value=ast.Constant(value=str(part))):
                passes_on = part
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                fields[name] = _evaluated(found, annotation)
    if own is None and any("dataclass" in ast.dump(decorator) for decorator in found.node.decorator_list):
        own = Signature(fields)
    if own is not None and (passes_on or not own.open):
        own.passes_on = passes_on
        return own
    return _with_parents(own or Signature(open=True), found, seen)


def _with_parents(own: Signature, found: Source, seen: int) -> Signature | None:
    """The first parent that says what it takes is the one that gets the rest; None if it may be one that is hidden."""
    hidden = False
    for base in found.bases():
        known = base is not None and isinstance(base.node, ast.ClassDef) and seen < 10
        inherited = _of_class(base, seen + 1) if known else None
        if inherited is None:
            hidden = True
        elif inherited.names or not inherited.open:
            names = inherited.names | own.names
            return Signature(names, inherited.open, own.later | inherited.later, inherited.passes_on)
    return None if hidden else own


def _of_function(found: Source, node: ast.FunctionDef) -> Signature:
    arguments = node.args
    given = [argument for argument in [*arguments.args, *arguments.kwonlyargs] if argument.arg not in ("self", "cls")]
    names = {a.arg: _evaluated(found, a.annotation) if a.annotation else Any for a in given}
    missing = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    later = frozenset(argument.arg for argument, default in missing if default is None)
    return Signature(names, arguments.kwarg is not None, later)


def _evaluated(found: Source, node: ast.AST, depth: int = 0) -> Any:
    """An annotation's source as the annotation itself; Any where it is not understood."""
    match node:
        case ast.Constant(value=None):
            return None
        case ast.Constant(value=str(text)):
            return _evaluated(found, ast.parse(text, mode="eval").body, depth)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return typing.Union[_evaluated(found, left, depth), _evaluated(found, right, depth)]  # noqa: UP007
        case ast.Subscript(value=value, slice=inner):
            return _generic(found, _last(value), inner.elts if isinstance(inner, ast.Tuple) else [inner], depth)
        case ast.Name() | ast.Attribute():
            return _plain(found, node, depth)
    return Any


def _generic(found: Source, name: str, inner: list[ast.expr], depth: int) -> Any:
    if name == "Literal":
        return typing.Literal[tuple(item.value for item in inner if isinstance(item, ast.Constant))]
    if name in ("Callable", "type", "Type"):
        return Part
    parts = [_evaluated(found, item, depth) for item in inner]
    match name:
        case "Optional":
            return parts[0] | None if parts[0] is not Any else Any
        case "Union":
            return typing.Union[tuple(parts)]  # noqa: UP007
        case "Annotated":
            return parts[0]
        case "list" | "List" | "Sequence" | "Iterable" | "tuple" | "Tuple":
            return Sequence[parts[0]]
        case "dict" | "Dict" | "Mapping" | "MutableMapping":
            return Mapping[str, parts[-1]]
    return Any


def _plain(found: Source, node: ast.AST, depth: int) -> Any:
    name = _last(node)
    if name in ("bool", "int", "float", "str"):
        return getattr(builtins, name)
    if name in ("Any", "object", "Path", "PathLike", "_PATH"):
        return Any
    if name in ("list", "tuple", "dict"):
        return {"dict": Mapping[str, Any]}.get(name, Sequence[Any])
    if name in _WELL_KNOWN:  # not worth a walk through all of torch
        return Part
    meant = found.named(node)
    if meant is None or depth > 5:
        return Any
    return Part if isinstance(meant.node, ast.ClassDef) else _evaluated(meant, meant.node, depth + 1)


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _imported(name: str) -> Signature:
    """The same by importing: for what is compiled, made at run time, or found in the user's own folder."""
    try:
        target = imported(name)
        parameters = list(inspect.signature(target).parameters.values())
    except TypeError:  # built in, without a signature
        return Signature(open=True)
    except ValueError as error:
        if "signature" in str(error):
            return Signature(open=True)
        raise
    except Exception as error:
        raise ValueError(f"cannot be imported ({error})") from error
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    names = {p.name: _understood(p.annotation) for p in parameters if p.kind in kinds}
    passed = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return Signature(names, passed, passes_on=getattr(target, "passes_on", None))


def imported(name: str) -> Callable[..., Any]:
    """The object behind a dotted name; as `hydra.utils.get_object`, which prints what it does not find.

    Raises:
        ImportError: there is none.
    """
    words = name.split(".")
    for count in range(len(words), 0, -1):
        module = ".".join(words[:count])
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise  # the module is there, and lacks something itself
            continue
        for word in words[count:]:
            if not hasattr(found, word):
                raise ImportError(f"{'.'.join(words[:count])} has no {word!r}")
            found = getattr(found, word)
        return found
    raise ImportError(f"there is no module {words[0]!r}")


def _understood(annotation: Any) -> Any:
    if annotation is inspect.Parameter.empty or isinstance(annotation, str):
        return Any
    if isinstance(annotation, type) and annotation not in (bool, int, float, str, type(None), Path, object):
        return annotation if annotation in (list, dict, tuple) else Part
    return annotation
