"""The JSON file that says what is known of one image's prediction, and what it was made from."""

import json
from pathlib import Path
from typing import Any


def contents(path: Path) -> dict[str, Any]:
    """The record; empty if there is none, or it is not ours."""
    try:
        found = json.loads(path.read_text("utf8"))
    except (OSError, ValueError):  # whatever it is, it is no record of ours
        return {}
    return found if isinstance(found, dict) else {}


def stamp(path: Path) -> str | None:
    """What the record that is there was made from; "" if it is not ours, None if there is none."""
    return contents(path).get("prediction", "") if path.exists() else None
