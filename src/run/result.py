"""results.json: what a run was and how it ended, under keys that stay."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser

from src.run.folder import write_json
from src.run.plugins import ROOT
from src.run.rank import first

_NO_AXES = ("hydra.", "data.root", "data.cache_folder", "resume", "sweep", "callback.pruning")
_LIBRARIES = ("torch", "torchvision", "lightning", "torchmetrics", "timm")


def opening(config: dict[str, Any], axes: dict[str, Any], identity: str) -> dict[str, Any]:
    """What is known before the run: `status` is running, so that a kill stays visible."""
    trainer, data = config["trainer"], config["data"]
    return {
        "task": axes.get("task"),
        "model": axes.get("model"),
        "backbone": axes.get("model/backbone"),
        "decoder": axes.get("model/decoder"),
        "loss": axes.get("loss"),
        "data": axes.get("data"),
        "seed": config["seed"],
        "score": None,
        "val": None,
        "test": None,
        "params": None,
        "flops_per_image": None,
        "images_per_second": None,
        "seconds": None,
        "epochs": None,
        "device": None,
        "precision": trainer["precision"],
        "status": "running",
        "git": _git(),
        "versions": {library: version(library) for library in _LIBRARIES},
        "upsample": axes.get("model/upsample"),
        "weights": (config["model"].get("backbone") or {}).get("weights"),
        "size": data["size"],
        "batch_size": data["batch_size"],
        "lr": config["optimizer"]["lr"],
        "total_flops": None,
        "skipped": [],
        "identity": identity,
        "axes": axes,
    }


def axes(choices: dict[str, Any], overrides: list[str]) -> dict[str, Any]:
    """Every choice of a config group and every override, flat; a path is no axis."""
    told = {group: choice for group, choice in choices.items() if "@" not in group}
    found = {group: choice for group, choice in told.items() if not group.startswith(("hydra/", "sweep"))}
    for override in OverridesParser.create().parse_overrides(overrides):
        key = override.package or override.key_or_group  # loss@loss.depth=l1 is a choice of loss.depth
        if key not in choices and not key.startswith(_NO_AXES):
            found[key] = override.value()
    return found


@contextmanager
def kept(folder: Path, facts: dict[str, Any]) -> Iterator[None]:
    """Write `facts` to results.json before and after what happens to them; `failed` if it raises, `interrupted` if a
    signal ended it."""
    if not first():
        yield
        return
    began = time.monotonic()
    write_json(folder / "results.json", facts)
    try:
        yield
    except BaseException as error:
        status = "interrupted" if isinstance(error, SystemExit | KeyboardInterrupt) else "failed"
        facts |= {"status": status, "seconds": round(time.monotonic() - began, 1)}
        with suppress(ValueError):  # a full disk, say: what happened before is what must be told
            write_json(folder / "results.json", facts)
        raise
    write_json(folder / "results.json", facts)


def _git() -> str | None:
    """The commit of the code, with a + where it has been changed since; None outside a checkout."""
    try:
        run = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return run.stdout.strip() or None
