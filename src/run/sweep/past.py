"""What earlier starts of a sweep left in its folder."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from src.run.lock import holder
from src.run.sweep.trial import Trial

NAME = "sweep.json"
DONE = ("finished", "pruned")
_PATIENCE = 60.0  # seconds that jobs have to end whose sweep was killed


def earlier(root: Path, trials: Sequence[Trial]) -> Path | None:
    """The newest sweep below `root` that was planned for the same jobs."""
    wanted = sorted(trial.key for trial in trials if not trial.refusal)
    for file in sorted(root.glob(f"*/{NAME}"), key=lambda file: file.stat().st_mtime_ns, reverse=True):
        if sorted(_keys(file).values()) == wanted:
            return file.parent
    return None


def mine(found: list[dict[str, Any]], trial: Trial) -> dict[str, Any] | None:
    """The run that is the trial's, a finished one first; no other trial gets it."""
    fitting = [run for run in found if run["key"] in (trial.key, None) and run["identity"] == trial.identity]
    if not fitting:
        return None
    best = min(fitting, key=lambda run: (run["status"] not in DONE, run["folder"] != trial.subfolder))
    found.remove(best)
    return best


def runs(folder: Path) -> list[dict[str, Any]]:
    """Every run below a folder, with the key of its job where sweep.json has it."""
    keys = _keys(folder / NAME)
    found = []
    for file in sorted(folder.rglob("results.json")):
        facts = results(file)
        if facts and "identity" in facts:
            place = file.parent.relative_to(folder).as_posix()
            found.append({name: facts.get(name) for name in ("identity", "status", "score", "seconds")})
            found[-1] |= {"folder": place, "key": keys.get(place)}
    return found


def results(file: Path) -> dict[str, Any] | None:
    """What a file of JSON holds, if it is there and a mapping (the objects that src.predict found are a list)."""
    if not file.is_file():
        return None
    try:
        facts = json.loads(file.read_text(encoding="utf8"))
    except ValueError as error:
        raise ValueError(f"{file}: is no JSON ({error}); remove it, or choose another hydra.sweep.dir") from error
    return facts if isinstance(facts, dict) else None


def settled(folder: Path) -> dict[Path, str]:
    """Wait for jobs whose sweep was killed and which are saving; those that go on, and the process of each."""
    owners = {lock.parent: holder(lock.parent) for lock in folder.glob("*/**/.lock")}
    held = {place: owner for place, owner in owners.items() if owner}
    for place, owner in held.items():
        print(f"{place}: {owner} is still running, of an earlier sweep; waiting for it to end", flush=True)
    deadline = time.monotonic() + _PATIENCE
    while held and time.monotonic() < deadline:
        time.sleep(0.5)
        held = {place: owner for place in held if (owner := holder(place))}
    return held


def _keys(file: Path) -> dict[str, str]:
    """By folder, what tells a job apart from others, as sweep.json has it."""
    return {row["folder"]: row["key"] for row in (results(file) or {}).get("jobs", [])}
