"""How far a sweep is: a table that changes on a terminal, a line per start and end elsewhere."""

import csv
import time
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Protocol, runtime_checkable

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from src.run.sweep.job import Job
from src.run.sweep.past import DONE
from src.run.sweep.plan import Row

_SHOWN = 20  # running jobs in the table
_PACE = 1.0  # seconds between two tables


@runtime_checkable
class _Planned(Protocol):
    """A plan, or a search."""

    rows: list[Row]


class Progress:
    """Tells of the jobs of a plan as they begin and end; a context, for the table has to be taken away."""

    def __init__(self, plan: _Planned, places: int, verbose: bool) -> None:
        """Prepare.

        Args:
            places: jobs that run at the same time, at most.
            verbose: print what the jobs print as well.
        """
        self._plan, self._places, self._verbose = plan, places, verbose
        self._console = Console(soft_wrap=True, highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._told: set[Job] = set()
        self._drawn = 0.0

    def __enter__(self) -> "Progress":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def watch(self, running: Sequence[Job]) -> None:
        """A look at the jobs that run."""
        for job in running:
            if job not in self._told:
                self._told.add(job)
                if not self._live.is_started:
                    self._say(f"{job.name} begins")
            self._copy(job)
        if self._live.is_started and time.monotonic() - self._drawn > _PACE:
            self._drawn = time.monotonic()
            self._live.update(Group(escape(self._line(running)), _table(running)), refresh=True)

    def ended(self, job: Job) -> None:
        """The line of a job that the plan has taken note of."""
        self._copy(job)
        early = "pruned, " if job.results.get("status") == "pruned" else ""
        self._say(f"{job.name}: {early}{outcome(job.trouble, job.score)}, {_clock(job.seconds)}")
        if not self._live.is_started:
            self._say(f"  {self._line([])}")

    def _line(self, running: Sequence[Job]) -> str:
        rows = self._plan.rows
        parts = [f"{sum(row.state in DONE for row in rows)} of {len(rows)} finished"]
        failed = sum(row.state == "failed" for row in rows)
        top = best(rows)
        parts += [f"{failed} failed"] if failed else []
        parts += [f"best {top.score:.4f} {top.name}"] if top else []
        left = _left(rows, running, self._places)
        return "; ".join([*parts, f"about {_clock(left)} left"] if left else parts)

    def _copy(self, job: Job) -> None:
        if self._verbose:
            for line in job.printed().splitlines():
                self._say(f"{job.name.partition(' ')[0]} {line}")

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False)


def best(rows: Sequence[Row]) -> Row | None:
    """The row with the highest score among those that finished, if any has one."""
    scored = [row for row in rows if row.state in DONE and row.score is not None and isfinite(row.score)]
    return max(scored, key=lambda row: row.score or 0.0, default=None)


def outcome(trouble: str | None, score: float | None) -> str:
    """How a job ended, in a few words."""
    return trouble or ("no score" if score is None else f"score {score:.4f}")


def _left(rows: Sequence[Row], running: Sequence[Job], places: int) -> float | None:
    """Seconds until all are done, if the others take as long as those that finished did."""
    known = [row.seconds for row in rows if row.state in DONE and row.seconds]
    if not known:
        return None
    mean = sum(known) / len(known)
    waiting = sum(row.state == "waiting" for row in rows)
    begun = sum(row.state == "running" and row.trouble is None for row in rows)
    spent = sum(min(job.seconds, mean) for job in running)
    return (mean * (waiting + begun) - spent) / places


def _table(running: Sequence[Job]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("running", "epoch", "val/score", "time"):
        table.add_column(column, justify="left" if column == "running" else "right")
    for job in running[:_SHOWN]:
        epoch, score = _latest(job.folder / "metrics.csv")
        table.add_row(escape(job.name), epoch, score, _clock(job.seconds))
    if len(running) > _SHOWN:
        table.add_row(f"and {len(running) - _SHOWN} more", "", "", "")
    return table


def _latest(file: Path) -> tuple[str, str]:
    """A run's last epoch and score, for people."""
    if not file.is_file():
        return "", ""
    with file.open(encoding="utf8", newline="") as text:
        rows = list(csv.DictReader(text))
    if not rows:
        return "", ""
    score = next((row["val/score"] for row in reversed(rows) if row.get("val/score")), None)
    return str(int(rows[-1]["epoch"]) + 1), f"{float(score):.4f}" if score else ""


def _clock(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
