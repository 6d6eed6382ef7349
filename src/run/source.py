"""Finds a class or function in its source file without importing it, so that a config is checked in no time."""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_MARKS = ("ABC", "Protocol", "object")
_HOPS = 20  # re-exports that are followed before giving up


@dataclass(frozen=True)
class Source:
    """A statement of a module: a class, a function, or the value that a name is given."""

    module: str
    node: ast.AST

    def named(self, node: ast.AST, hops: int = _HOPS) -> "Source | None":
        """What an expression like `nn.Module` stands for in this statement's module; None where it cannot be told."""
        words: list[str] = []
        while isinstance(node, ast.Attribute):
            words.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        return _within(self.module, [node.id, *words], hops)

    def bases(self) -> "list[Source | None]":
        """The classes that a class is made from, but for those that only mark it."""
        bases = self.node.bases if isinstance(self.node, ast.ClassDef) else []
        return [self.named(base) for base in bases if not isinstance(base, ast.Name) or base.id not in _MARKS]


def find(name: str) -> Source | None:
    """The definition behind a dotted name such as `torch.optim.AdamW`; None where the source alone does not say."""
    words = name.split(".")
    return _within(words[0], words[1:], _HOPS) if all(words) else None


def _within(module: str, words: list[str], hops: int) -> Source | None:
    if not words or hops == 0 or _file(module) is None:
        return None
    for statement in _statements(module):
        found = _match(module, statement, words, hops - 1)
        if found:
            return found
    return _within(f"{module}.{words[0]}", words[1:], hops)


def _match(module: str, statement: ast.stmt, words: list[str], hops: int) -> Source | None:
    """What a statement of a module binds to the first of `words`, followed through the rest."""
    match statement:
        case ast.ClassDef() | ast.FunctionDef() if statement.name == words[0]:
            return Source(module, statement) if len(words) == 1 else None
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == words[0]:
            return Source(module, value) if len(words) == 1 else None
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.AST() as value) if name == words[0]:
            return Source(module, value) if len(words) == 1 else None
        case ast.Import(names=names):
            for alias in names:
                if alias.asname == words[0] or (alias.asname is None and alias.name == words[0]):
                    return _within(alias.name, words[1:], hops)
        case ast.ImportFrom(names=names):
            for alias in names:
                if (alias.asname or alias.name) == words[0]:
                    return _within(_absolute(module, statement), [alias.name, *words[1:]], hops)
                if alias.name == "*":
                    found = _within(_absolute(module, statement), words, hops)
                    if found:
                        return found
    return None


def _absolute(module: str, statement: ast.ImportFrom) -> str:
    if not statement.level:
        return statement.module or ""
    package = module.split(".") if _file(module).name == "__init__.py" else module.split(".")[:-1]
    package = package[: len(package) - (statement.level - 1)]
    return ".".join([*package, *([statement.module] if statement.module else [])])


@cache
def _statements(module: str) -> tuple[ast.stmt, ...]:
    path = _file(module)
    assert path is not None
    return tuple(_flat(ast.parse(path.read_text(encoding="utf8")).body))


def _flat(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those under its `if` and `try` too."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If | ast.Try):
            yield from _flat([*statement.body, *statement.orelse])


@cache
def _file(module: str) -> Path | None:
    top, *inner = module.split(".")
    folders = _folders(top)
    if not inner and folders is None:
        return None
    for folder in folders or []:
        place = folder.joinpath(*inner)
        for path in (place / "__init__.py", place.with_name(f"{place.name}.py")):
            if path.is_file() and (inner or path.name == "__init__.py"):
                return path
    return None


@cache
def _folders(package: str) -> tuple[Path, ...] | None:
    """Where a top-level package lies; looking for it does not run it."""
    loaded = sys.modules.get(package)
    if loaded is not None:
        return tuple(map(Path, getattr(loaded, "__path__", ())))
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    return tuple(map(Path, spec.submodule_search_locations or ())) if spec else None
