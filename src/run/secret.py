"""Secrets come from the environment alone: what is said on the command line or in a config ends up in files."""

import os
import re
from collections.abc import Iterable
from typing import Any

_NAME = r"(?:(?:api|access|auth)[_-]?key|token|passw(?:or)?d|secret|credentials?|authorization)"
_PLAIN = r"(?:null|true|false|[-+]?[\d.]*(?:e[-+]?\d+)?)(?:[\s,}\]]|$)"  # no secret is a number
_SAID = re.compile(rf"(?:^|[-._\s{{\[,\"'+~]){_NAME}[\"']?\s*[=:]\s*(?!{_PLAIN})[^\s,}}\]]", re.I)
_USERINFO = re.compile(r"[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]+@", re.I)
_HOLDS = re.compile(rf"{_NAME}$", re.I)  # names of variables
_SHORTEST = 8  # characters of a secret in a variable


def refuse(words: Iterable[str]) -> None:
    """Raise ValueError for the first word of a command line that holds a secret; its value is not repeated."""
    for word in words:
        if kind := _kind(word):
            raise ValueError(f"{word.partition('=')[0].lstrip('+~')}: {kind}{_REMEDY}")


def refuse_lines(text: str, name: str) -> None:
    """The same for a YAML file of that name, before anything copies it; comments do not count."""
    for number, line in enumerate(text.splitlines(), 1):
        if kind := _kind(line.partition(" #")[0]) if not line.lstrip().startswith("#") else None:
            raise ValueError(f"{name}, line {number}: {kind}{_REMEDY}")


def refuse_in(node: Any, path: str = "") -> None:
    """The same for a resolved config: no value may be what an environment variable keeps secret."""
    if isinstance(node, dict):
        for key, value in node.items():
            refuse_in(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            refuse_in(value, f"{path}[{index}]")
    elif isinstance(node, str):
        refuse([f"{path}={node}"])
        for name, value in os.environ.items():
            if len(value) >= _SHORTEST and _HOLDS.search(name) and value in node:
                raise ValueError(f"{path}: is the value of the environment variable {name}{_REMEDY}")


def _kind(text: str) -> str | None:
    if _USERINFO.search(text):
        return "an address with a password in it"
    return "looks like a key or password" if _SAID.search(text) else None


_REMEDY = (
    ", and what is said here is written to files. Leave it to the environment: WANDB_API_KEY, "
    "MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD, MLFLOW_TRACKING_TOKEN, or `wandb login`"
)
