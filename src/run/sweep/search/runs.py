"""A trial's runs: one for each seed."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from src.run import resume
from src.run.lock import holder
from src.run.sweep.command import Command, quoted
from src.run.sweep.job import Job
from src.run.sweep.past import DONE, results
from src.run.sweep.search.question import Question
from src.run.sweep.search.study import FILE

_PATIENCE = 60.0  # seconds that runs have to end whose search was killed


@dataclass
class Run:
    """A job, and what it left if it has ended before: while nobody watched, or in an earlier start of the search."""

    job: Job
    identity: str
    results: dict[str, Any] | None


def runs(command: Command, question: Question, study: str, number: int, values: Mapping[str, Any]) -> list[Run]:
    """Those of a trial; the first is the one that may be ended early, and that the others wait for.

    Args:
        study: the name of it.
        number: of the trial.
        values: of what is searched.

    Raises:
        ValueError: the values cannot work together.
    """
    found = []
    for words, names in question.runs(values):
        settings, subfolder = command.settings(number, words, names)
        folder, identity = command.folder / subfolder, resume.identity(settings)
        _wait(command, subfolder)
        more = ["resume=auto"] if any((folder / "checkpoints").glob("[!.]*.ckpt")) else []
        more += [_pruning(command, study, number)] if question.pruning and not found else []
        job = command.job([*words, *more], folder, " ".join([f"[{number + 1}]", *names]))
        found.append(Run(job, identity, _results(job, identity)))
    return found


def _pruning(command: Command, study: str, number: int) -> str:
    """The callback that tells the study of each epoch."""
    journal = quoted(str((command.folder / FILE).absolute()))
    own = f"_target_:src.callback.pruning.Pruning,journal:{journal},study:{quoted(study)},trial:{number}"
    return f"++callback.pruning={{{own}}}"


def _wait(command: Command, subfolder: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while (owner := holder(command.folder / subfolder)) and time.monotonic() < deadline:
        print(f"{command.folder / subfolder}: {owner} is still ending; waiting", flush=True)
        time.sleep(2)


def _results(job: Job, identity: str) -> dict[str, Any] | None:
    facts = results(job.folder / "results.json") or {}
    return facts if facts.get("identity") == identity and facts.get("status") in DONE else None
