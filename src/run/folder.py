"""A run folder holds all that a run was; every file in it appears whole or not at all."""

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Where to write what is renamed to `path` at the end, in the same folder; nothing is left of it on an error."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield draft
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def write(path: Path, text: str) -> None:
    """Replace a text file in one step."""
    try:
        with replacing(path) as draft:
            draft.write_text(text, encoding="utf8")
    except OSError as error:
        raise ValueError(
            f"{path}: cannot be written ({error.strerror}, {len(text)} bytes); choose another folder"
        ) from error


def write_json(path: Path, content: Any) -> None:
    """The same for JSON; what is not finite becomes null, which every reader understands."""
    write(path, json.dumps(_finite(content), indent=1, ensure_ascii=False) + "\n")


def claim(folder: Path) -> None:
    """Make the folder and see that it can be written, before anything is computed for it.

    Raises:
        ValueError: it cannot be made or written, with the reason.
    """
    probe = folder / f".probe.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ValueError(f"{folder}: cannot be written to ({error.strerror}); choose another folder") from error


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
