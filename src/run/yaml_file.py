"""YAML files as untrusted text: what they unfold into is counted before anything is made of it."""

import re
from pathlib import Path

import yaml

from src.run.secret import refuse_lines

_MOST = 100_000  # values that a config may hold
_DEEPEST = 100  # levels


def check(path: Path) -> None:
    """Look at a file's nodes without building them.

    Raises:
        ValueError: it is no YAML, names a Python object, its aliases unfold into too much, or it holds a secret, which
            would be copied into every run folder.
    """
    text = path.read_text(encoding="utf8", errors="replace")
    refuse_lines(text, str(path))
    if not re.search(r"[&!]", text) and text.count("[") + text.count("{") < _DEEPEST:
        return  # nothing to unfold, and quicker to say
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: is no YAML ({' '.join(str(error).split())})") from error
    except RecursionError as error:
        raise ValueError(f"{path}: is nested too deeply for a config") from error
    if root is not None and _count(root, path, {}, 0) > _MOST:
        raise ValueError(f"{path}: its aliases unfold into more than {_MOST} values; no config needs that")


def _count(node: yaml.Node, path: Path, known: dict[int, int], depth: int) -> int:
    """How many values a node unfolds into, each alias counted as a copy."""
    if node.tag.startswith("tag:yaml.org,2002:python") or node.tag.startswith("!"):
        line = node.start_mark.line + 1
        raise ValueError(f"{path}, line {line}: {node.tag} asks for an object, and a config is text, numbers and lists")
    if depth > _DEEPEST:
        raise ValueError(f"{path}: is nested more than {_DEEPEST} levels deep, or contains itself")
    if id(node) not in known:
        inner = node.value if isinstance(node, yaml.CollectionNode) else []
        flat = [item for pair in inner for item in (pair if isinstance(pair, tuple) else (pair,))]
        known[id(node)] = 1 + sum(_count(item, path, known, depth + 1) for item in flat)
    return known[id(node)]
