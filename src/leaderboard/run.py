"""A run as its folder tells it: what it was, how it ended, and its figures."""

import json
import math
import os
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from src.leaderboard.history import column
from src.run import log, yaml_file
from src.run.lock import holder

_FIGURES = ("score", "seconds", "epochs", "params", "flops_per_image", "total_flops", "images_per_second")
_FACTS = ("task", "device", "precision", "git", "size", "batch_size", "lr")
_ABSENT = object()


@dataclass(frozen=True)
class Run:
    """One run folder; `trouble` says why it does not count, where it does not."""

    folder: Path
    trouble: str | None = None
    axes: dict[str, str] = field(default_factory=dict)  # without the seed
    seed: str = ""
    figures: dict[str, float] = field(default_factory=dict)  # score, seconds, val/miou ...: finite ones only
    facts: dict[str, str] = field(default_factory=dict)  # what it ran on
    written: float = 0.0  # when, in seconds since the epoch


def found(folder: Path) -> list[Run]:
    """Every run below a folder, by path: the folders with a results.json, and those where a log is all there is.

    An option that some were given on the command line is an axis of all that have it: of the others by their config.
    """
    runs = [_read(path) for path in sorted(folders(folder))]
    options = {axis for run in runs for axis in run.axes if "." in axis}
    return [
        run if run.trouble else replace(run, axes=run.axes | _defaults(run.folder, options - run.axes.keys()))
        for run in runs
    ]


def folders(top: Path) -> Iterator[Path]:
    """Those of the runs below `top`, or `top` itself if it is one."""
    for folder, below, files in os.walk(top):
        if "results.json" in files or log.NAME in files:
            below.clear()  # a run's own checkpoints and pictures hold no other run
            yield Path(folder)


def _read(folder: Path) -> Run:
    file = folder / "results.json"
    if not file.is_file():
        return Run(folder, f"no results.json{_last_words(folder)}")
    try:
        content = json.loads(file.read_text(encoding="utf8"))
        return _run(folder, content, file.stat().st_mtime)
    except (OSError, ValueError) as error:
        return Run(folder, f"results.json cannot be read: {error}")


def _defaults(folder: Path, options: Set[str]) -> dict[str, str]:
    """What a run's config says of them; of some it may know nothing."""
    file = folder / "config.yaml"
    if not options or not file.is_file():
        return {}
    try:
        yaml_file.check(file)
        config = yaml.safe_load(file.read_text(encoding="utf8"))
    except (OSError, ValueError, yaml.YAMLError):  # the run counts by its results
        return {}
    told = {option: _at(config, option.split(".")) for option in sorted(options)}
    return {option: text(value) for option, value in told.items() if value is not _ABSENT}


def _at(node: Any, keys: Sequence[str]) -> Any:
    for key in keys:
        if not isinstance(node, dict) or key not in node:
            return _ABSENT
        node = node[key]
    return _ABSENT if isinstance(node, str) and "${" in node else node


def _run(folder: Path, content: Any, written: float) -> Run:
    if not isinstance(content, dict) or not isinstance(content.get("axes"), dict):
        raise ValueError("it is not a run's, there are no 'axes' in it")
    axes = {key: text(value) for key, value in content["axes"].items() if key != "seed"}
    figures = {key: content.get(key) for key in _FIGURES}
    for split in ("val", "test"):
        figures |= {f"{split}/{key}": value for key, value in (content.get(split) or {}).items()}
    figures["memory_mb"] = _memory(folder / "metrics.csv")
    facts = {key: text(content[key]) for key in _FACTS if key in content and key not in axes}
    facts |= {key: text(value) for key, value in (content.get("versions") or {}).items()}
    status = content.get("status")
    return Run(
        folder,
        None if status == "finished" else _ending(status, folder),
        axes,
        text(content.get("seed")),
        {key: float(value) for key, value in figures.items() if _finite(value)},
        facts,
        written,
    )


def _memory(table: Path) -> float | None:
    """The most that any epoch's end saw: a GPU's peak, or what the process held."""
    return max(column(table, "train/memory_mb").values(), default=None)


def text(value: Any) -> str:
    """A value of a config as one writes it on the command line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _ending(status: Any, folder: Path) -> str:
    if status == "running":
        live = _holder(folder)
        return f"running, {live}" if live else f"killed, or running where its lock is not seen{_last_words(folder)}"
    return f"{status}{_last_words(folder) if status == 'failed' else ''}"


def _holder(folder: Path) -> str | None:
    try:
        return holder(folder)
    except OSError:  # a folder of somebody else's, which may be read alone
        return None


def _last_words(folder: Path) -> str:
    file = folder / log.NAME
    return f": {log.last_error(file)}" if file.is_file() else ""
