"""Every combination of the values that a command line lists, as runs of their own."""

import re
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser

from src.run.lock import locked
from src.run.sweep import summary
from src.run.sweep.command import Command
from src.run.sweep.past import DONE, earlier
from src.run.sweep.plan import Plan
from src.run.sweep.pool import Pool
from src.run.sweep.progress import Progress
from src.run.sweep.room import Room
from src.run.sweep.share import shares
from src.run.sweep.trial import Trial, common, trials
from src.run.sweep.webhook import REFUSAL, send


class Grid:
    """Runs the jobs of `-m`, as many at the same time as the machine bears.

    A job that fails is named at the end with its error, and the others go on; the sweep then ends in a ValueError.
    """

    def __init__(
        self,
        resume: bool = True,
        invalid: Literal["refuse", "skip"] = "refuse",
        jobs: int | Literal["auto"] = "auto",
        verbose: bool = False,
        webhook: bool | str = True,
    ) -> None:
        """Prepare.

        Args:
            resume: go on with the same sweep where there is one: what is finished is not begun again, what was cut goes
                on from its last checkpoint. Else all jobs begin anew.
            invalid: combinations that cannot work are refused before anything starts, or left out.
            jobs: at the same time; auto: as cores, memory and GPUs allow.
            verbose: print what the jobs print; their log.txt has it either way.
            webhook: tell the address in the environment variable DENSE_WEBHOOK when the sweep has ended.
        """
        if isinstance(webhook, str):
            raise ValueError(REFUSAL)
        self.resume, self.invalid, self.jobs, self.verbose, self.webhook = resume, invalid, jobs, verbose, webhook

    def sweep(self, command: Command, arguments: Sequence[str]) -> None:
        """All jobs to their end.

        Args:
            arguments: overrides, some of which list several values.

        Raises:
            ValueError: combinations cannot work, or jobs failed.
        """
        began = time.monotonic()
        combinations = _combinations(command, arguments)
        found = trials(command, combinations)
        good, refused = [t for t in found if not t.refusal], [t for t in found if t.refusal]
        self._judge(good, refused)
        command.settled(self._folder(command, good))
        with locked(command.folder, "hydra.sweep.dir"):
            plan = Plan(command.folder, found, self.resume)
            _greet(plan, common(combinations))
            signals = self._run(command, plan, good)
            summary.show(plan, len(refused))
            if self.webhook:
                send(summary.message(plan, len(refused), time.monotonic() - began))
        if signals:
            sys.exit(128 + signals[0])
        failed = sum(row.state not in DONE for row in plan.rows)
        if failed:
            raise ValueError(f"{failed} of {len(plan.rows)} jobs failed: they are listed above")

    def _judge(self, good: Sequence[Trial], refused: Sequence[Trial]) -> None:
        if not refused:
            return
        total = len(good) + len(refused)
        said = f"{len(refused)} of {total} combinations cannot work"
        if self.invalid == "refuse" or not good:
            remedy = "" if not good else "\nNothing was started. sweep.invalid=skip leaves them out"
            raise ValueError(f"{said}:\n{summary.refusals(refused)}{remedy}")
        print(f"{said} and are left out:\n{summary.refusals(refused)}")

    def _folder(self, command: Command, good: Sequence[Trial]) -> Path:
        """Where the same command was begun before, if it may go on there."""
        if not self.resume or command.given:
            return command.folder
        return earlier(command.folder.parent, good) or command.folder

    def _run(self, command: Command, plan: Plan, good: Sequence[Trial]) -> list[int]:
        """The signals that ended it."""
        waiting = sum(row.state == "waiting" for row in plan.rows)
        if not waiting:
            return []
        if command.launcher:
            command.launcher.launch(list(plan.overrides()), initial_job_idx=0)
            plan.read()
            return []
        places = shares(self.jobs, [trial.trainer or {} for trial in good], waiting)
        with Progress(plan, len(places), self.verbose) as progress:
            room = Room() if self.jobs == "auto" else None
            pool = Pool(places, command.environment(), room, progress.watch)
            with closing(pool.run(plan.jobs(command))) as ended:  # whatever goes wrong here, no job is left running
                for job in ended:
                    plan.note(job)
                    progress.ended(job)
        return pool.signals


def _combinations(command: Command, arguments: Sequence[str]) -> list[list[str]]:
    """As Hydra's own sweeper lists them."""
    overrides = OverridesParser.create(config_loader=command.context.config_loader).parse_overrides(list(arguments))
    whole = [override for override in overrides if re.split(r"[./]", override.key_or_group)[0] == "sweep"]
    for override in overrides:
        if override in whole and override.is_sweep_override():
            raise ValueError(f"{override.input_line}: is said of the sweep as a whole; give it one value")
        if override.is_sweep_override() and not override.is_discrete_sweep():
            raise ValueError(f"{override.input_line}: a grid needs a list of values, such as 1,2,4 or range(0,3)")
    (combinations,) = BasicSweeper.split_arguments([o for o in overrides if o not in whole], None)
    return combinations


def _greet(plan: Plan, constant: set[str]) -> None:
    done = sum(row.state in DONE for row in plan.rows)
    cut = sum(row.begun and row.state not in DONE for row in plan.rows)
    alike = f", all with {' '.join(sorted(constant))}" if constant else ""
    print(f"{len(plan.rows)} job{'s' if len(plan.rows) > 1 else ''} in {plan.folder}{alike}", flush=True)
    if done or cut:
        going = f"going on in {plan.folder}: {done} of {len(plan.rows)} are finished"
        print(f"{going}{f', {cut} were cut' if cut else ''} (sweep.resume=false begins anew)", flush=True)
