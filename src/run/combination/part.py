"""What the checks ask of a part of a config."""

import ast
from functools import cache
from typing import Any

from src.run import source

OBJECTS = ("src.task.instance.Instance", "src.task.keypoint.Keypoint")  # tasks that find objects


def class_of(part: Any) -> str:
    """The path of the class that a part of a config builds; empty for none."""
    return str((part or {}).get("_target_", ""))


@cache
def said(name: str, attribute: str) -> Any:
    """What a class, by its dotted name, says in a line `attribute = ...`; None where it does not.

    It is read from the source, without an import.
    """
    found = source.find(name)
    if found is None or not isinstance(found.node, ast.ClassDef):
        return None
    for statement in found.node.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=known)], value=value) if known == attribute:
                return ast.literal_eval(value)
    return None
