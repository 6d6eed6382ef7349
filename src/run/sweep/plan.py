"""sweep.json: which jobs a sweep has, where they are, and what became of each."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import join
from typing import Any

from src.run import log
from src.run.folder import write_json
from src.run.sweep.command import Command, quoted
from src.run.sweep.job import Job
from src.run.sweep.past import DONE, NAME, mine, results, runs, settled
from src.run.sweep.trial import Trial


@dataclass
class Row:
    """A job as sweep.json has it."""

    name: str
    overrides: list[str]
    identity: str
    key: str
    folder: str  # below the sweep's
    state: str = "waiting"  # then running, finished, pruned, interrupted or failed
    score: float | None = None
    seconds: float | None = None
    trouble: str | None = None
    begun: bool = False  # in an earlier start of this sweep


class Plan:
    """The jobs of a sweep in its folder, some of which may be finished there. Every change is written at once."""

    def __init__(self, folder: Path, trials: Sequence[Trial], again: bool) -> None:
        """Find what is there, and note what is to be done.

        Args:
            folder: of the sweep, which no other process works in.
            trials: its jobs; the refused ones are noted as left out.
            again: a finished run is not begun again, and one that was cut goes on. Else all are begun anew.
        """
        self.folder = folder
        self._refused = [{"name": t.name, "overrides": t.overrides, "reason": t.refusal} for t in trials if t.refusal]
        self._begun = time.strftime("%Y-%m-%d %H:%M:%S")
        held = settled(folder)
        there = runs(folder) if again else []
        self._others = {run["folder"] for run in there}
        self.rows: list[Row] = []
        for trial in trials:
            if not trial.refusal:
                run = mine(there, trial)
                self.rows.append(self._row(trial, run, held))
        self.write()

    def jobs(self, command: Command) -> Iterator[Job]:
        """Those that are to be run, each made when it is asked for."""
        for row in self.rows:
            if row.state == "waiting":
                row.state = "running"
                self.write()
                words = [*row.overrides, *self._more(row)]
                yield command.job(words, self.folder / row.folder, row.name)

    def overrides(self) -> Iterator[list[str]]:
        """The same for another launcher, which finds the folders in Hydra's own way."""
        for row in self.rows:
            if row.state == "waiting":
                place = quoted(str((self.folder / row.folder).absolute()))  # what src.train goes by, then Hydra
                where = [f"hydra.run.dir={place}", f"hydra.sweep.subdir={quoted(row.folder)}"]
                yield [*row.overrides, *self._more(row), *where]

    def note(self, job: Job) -> None:
        """What became of one."""
        row = next(row for row in self.rows if self.folder / row.folder == job.folder)
        row.score, row.seconds, row.trouble = job.score, round(job.seconds, 1), job.trouble
        row.state = _state(job.trouble, job.results.get("status"))
        self.write()

    def read(self) -> None:
        """What became of all, from their folders: for jobs that another launcher ran."""
        for row in self.rows:
            found = results(self.folder / row.folder / "results.json") or {}
            status = found.get("status")
            row.score, row.seconds = found.get("score"), found.get("seconds")
            row.trouble = None if status in DONE else _unfinished(status) + _said(self.folder / row.folder, status)
            row.state = _state(row.trouble, status)
        self.write()

    def write(self) -> None:
        """Replace the file."""
        facts = {"command": join(["python", *sys.orig_argv[1:]]), "begun": self._begun}
        rows = [asdict(row) for row in self.rows]
        write_json(self.folder / NAME, facts | {"jobs": rows, "left_out": self._refused})

    def _more(self, row: Row) -> list[str]:
        """What makes a run go on that was cut."""
        saved = row.begun and any((self.folder / row.folder / "checkpoints").glob("[!.]*.ckpt"))
        return ["resume=auto"] if saved else []

    def _row(self, trial: Trial, run: dict[str, Any] | None, held: dict[Path, str]) -> Row:
        row = Row(trial.name, trial.overrides, trial.identity, trial.key, "")
        if run is None:
            row.folder = self._free(trial.subfolder)
        else:
            row.folder, row.begun = run["folder"], True
            if run["status"] in DONE:
                row.state, row.score, row.seconds = run["status"], run["score"], run["seconds"]
        if owner := held.get(self.folder / row.folder):
            row.state, row.trouble = "running", f"still running as {owner}; it was not begun again"
        return row

    def _free(self, wanted: str) -> str:
        """A folder's name that no other job of this sweep has, and no run of another configuration."""
        taken = {row.folder for row in self.rows} | self._others
        names = (wanted if number == 1 else f"{wanted}_{number}" for number in range(1, 1_000_000))
        return next(name for name in names if name not in taken)


def _unfinished(status: str | None) -> str:
    if status in (None, "interrupted"):
        return status or "left no results"
    return f"ended with status {status}"


def _state(trouble: str | None, status: str | None) -> str:
    if trouble is None:
        return status or "finished"
    return trouble if trouble == "interrupted" else "failed"


def _said(folder: Path, status: str | None) -> str:
    """The last line of its log, where that says what its status does not."""
    file = folder / log.NAME
    return f": {log.last_error(file)}" if status in (None, "failed") and file.is_file() else ""
