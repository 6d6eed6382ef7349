"""The command that makes a run, or all runs of a configuration, again."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import yaml

from src.leaderboard.run import Run

_OF_THE_FOLDER = ("hydra.", "resume=", "sweep.", "callback.pruning=")  # where and how it was run, not what


def command(runs: Sequence[Run]) -> str:
    """As one would type it; several seeds become a sweep over them.

    The words are those of the first run, as they were given (`.hydra/overrides.yaml`), else its choices and overrides
    as results.json has them, which tell no paths and no group that nothing was chosen from.
    """
    words = [word for word in _words(runs[0]) if not word.lstrip("+").startswith(("seed=", *_OF_THE_FOLDER))]
    seeds = list(dict.fromkeys(run.seed for run in runs if run.seed))
    several = ["-m"] if len(seeds) > 1 else []
    return shlex.join(["python", "-m", "src.train", *several, *words, *([f"seed={','.join(seeds)}"] if seeds else [])])


def _words(run: Run) -> list[str]:
    typed = _typed(run.folder / ".hydra" / "overrides.yaml")
    if typed is not None:
        return typed
    return [f"{axis}={_unquoted(value)}" for axis, value in run.axes.items() if value != "null" or "." in axis]


def _unquoted(value: str) -> str:
    """Hydra's grammar has no quotes around the keys of a mapping."""
    return re.sub(r'"([^"]+)":', r"\1:", value)


def _typed(file: Path) -> list[str] | None:
    """None where there is no such file, or it holds something else."""
    try:
        words = yaml.safe_load(file.read_text(encoding="utf8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return None
    return words if isinstance(words, list) and all(isinstance(word, str) for word in words) else None
