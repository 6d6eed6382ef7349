"""Where a run goes on: which folder, and which of its checkpoints."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from src.run import cli, plugins
from src.run.build import plain
from src.run.cluster.start import restarted, slurm_job
from src.run.rank import first

# What may differ between two starts of one run: where things are, and what no figure depends on.
_ELSEWHERE = {
    "": ("resume", "logger", "sweep"),
    "data": ("root", "workers", "timeout", "cache", "cache_folder", "download"),
    "trainer": ("accelerator", "devices", "num_nodes", "strategy", "log_every_n_steps"),
    "callback": ("pruning",),
}


def identity(settings: dict[str, Any]) -> str:
    """What a run is, in twelve characters: its config without paths, workers, loggers and devices."""
    kept = {key: value for key, value in settings.items() if key not in _ELSEWHERE[""]}
    for part in _ELSEWHERE.keys() & kept.keys():
        kept[part] = {key: value for key, value in kept[part].items() if key not in _ELSEWHERE[part]}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()[:12]


def located(words: Sequence[str]) -> list[str]:
    """The command line with the folder that `resume=auto` means, where none is given: the newest of the same run that
    is not finished."""
    ways = ("hydra.run.dir=", "-m", "--multirun", "-h", "--help", "-c", "--cfg")
    given = any(word.startswith(ways) for word in words)
    if "resume=auto" not in words or given:
        return list(words)
    own = [word for word in words if not word.startswith(("-", "hydra.", "hydra/"))]
    try:
        config = cli.compose("train", own)
        found = _unfinished(_root(), identity(plain(config)))
    except (HydraException, OmegaConfBaseException):  # told in full when it is composed again
        return list(words)
    if found is None:
        return list(words)
    return [*words, f"hydra.run.dir='{found}'"]


def _root() -> Path:
    """The folder that holds the run folders of all days."""
    template = OmegaConf.load(plugins.CONF / "train.yaml")
    pattern = OmegaConf.to_container(template, resolve=False)["hydra"]["run"]["dir"]
    return cli.path(pattern.partition("${")[0])


def _unfinished(root: Path, wanted: str) -> Path | None:
    own = f"slurm/{slurm_job()}_"  # a requeued job's own folder comes first

    def order(file: Path) -> tuple[bool, float]:
        return file.relative_to(root).as_posix().startswith(own), file.stat().st_mtime

    files = sorted(root.glob("*/*/results.json"), key=order, reverse=True)
    for file in files:
        facts = json.loads(file.read_text(encoding="utf8"))
        if facts.get("identity") == wanted and facts.get("status") in ("running", "interrupted", "failed"):
            return file.parent
    return None


def named(wanted: str | None, folder: Path) -> list[Path]:
    """The checkpoints that a run may go on from, the wanted one first, then the newest; none for a new run.

    A job that was put back into the queue goes on from its own, whatever was wanted when it began.

    Raises:
        ValueError: the one that was named is not there.
    """
    if restarted() and (own := _newest(folder / "checkpoints")):
        return own
    if wanted is None:
        return []
    if wanted != "auto":
        path = cli.path(wanted)
        if not path.is_file():
            raise ValueError(f"resume={wanted}: there is no such checkpoint")
        others = _newest(path.parent) if path.parent.name == "checkpoints" else []
        return [path, *(other for other in others if other != path)]
    found = _newest(folder / "checkpoints")
    if not found and first():
        print(f"resume=auto: there is no checkpoint in {folder / 'checkpoints'}; starting a new run")
    return found


def _newest(folder: Path) -> list[Path]:
    return sorted(folder.glob("[!.]*.ckpt"), key=lambda path: path.stat().st_mtime_ns, reverse=True)


def usable(candidates: Sequence[Path]) -> tuple[Path, dict[str, Any]] | None:
    """The first of them that is whole, with its contents; None where there are no candidates.

    Raises:
        ValueError: none of them is. A run never starts anew in silence.
    """
    from src.run import checkpoint

    troubles = []
    for path in candidates:
        try:
            contents = checkpoint.load(path)
        except ValueError as error:
            troubles.append(str(error))
            if first():
                print(f"warning: {error}")
            continue
        if first():
            print(f"resume: going on from {path}")
        return path, contents
    if troubles:
        listed = "".join(f"\n  {trouble}" for trouble in troubles)
        raise ValueError(f"no checkpoint can be used:{listed}\nMove them away, or say resume=null, to start anew")
    return None
