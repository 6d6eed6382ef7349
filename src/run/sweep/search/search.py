"""A search for good values: trials that are drawn one after another, each learning from those before (Optuna)."""

import re
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hydra.core.override_parser.overrides_parser import OverridesParser

from src.run import cli
from src.run.sweep.command import Command
from src.run.sweep.pool import Pool
from src.run.sweep.progress import Progress
from src.run.sweep.room import Room
from src.run.sweep.share import shares
from src.run.sweep.webhook import REFUSAL, send

if TYPE_CHECKING:  # optuna is an extra: it is imported when a search begins
    from src.run.sweep.search.question import Question
    from src.run.sweep.search.trials import Trials


class Search:
    """Runs trials, as many at the same time as the machine bears, and says which were best.

    The study is a file in the sweep's folder: the same command goes on with it, and processes of several machines that
    are given the same hydra.sweep.dir share it. A run that fails is named at the end, and the others go on.
    """

    def __init__(
        self,
        space: Any = None,
        trials: int = 20,
        sampler: Literal["tpe", "random", "grid"] = "tpe",
        seed: int = 0,
        seeds: Sequence[int] | None = None,
        pruner: Literal["none", "hyperband", "median"] = "none",
        min_epochs: int = 1,
        reduction: int = 3,
        objectives: Sequence[str] = ("score",),
        study: str = "search",
        resume: bool = True,
        invalid: Literal["refuse", "skip"] = "refuse",
        jobs: int | Literal["auto"] = "auto",
        verbose: bool = False,
        webhook: bool | str = True,
    ) -> None:
        """Prepare.

        Args:
            space: by key of the config what it may be, see `src.run.sweep.search.space`; what the command line lists
                comes on top, and what it says once is not searched.
            trials: that shall have ended in all; failed ones count in the process that saw them.
            sampler: tpe learns from trials (Bergstra et al., 2011), random does not, grid takes every combination once.
            seed: of the sampler.
            seeds: of each trial's runs, whose median counts; null: one run, with the config's seed.
            pruner: hyperband (Li et al., 2018) or median end runs whose val/score is behind that of others.
            min_epochs: no run is ended before.
            reduction: at each of hyperband's looks the best of so many go on.
            objectives: figures of results.json; several make a Pareto front.
            study: its name, which the dashboard shows.
            resume: go on with the same search where there is one.
            invalid: choices that cannot work are refused before anything starts, or left out.
            jobs: at the same time; auto: as cores, memory and GPUs allow.
            verbose: print what the jobs print.
            webhook: tell the address in the environment variable DENSE_WEBHOOK when the search has ended.
        """
        if isinstance(webhook, str):
            raise ValueError(REFUSAL)
        if not isinstance(space or {}, Mapping):
            raise ValueError(f"sweep.space={space}: expected keys of the config, and below each what it may be")
        self.space, self.trials, self.sampler, self.seed = dict(space or {}), trials, sampler, seed
        self.seeds, self.objectives, self.study = seeds, list(objectives), study
        self.pruner, self.min_epochs, self.reduction = pruner, min_epochs, reduction
        self.resume, self.invalid, self.jobs, self.verbose, self.webhook = resume, invalid, jobs, verbose, webhook

    def sweep(self, command: Command, arguments: Sequence[str]) -> None:
        """All trials to their end.

        Args:
            arguments: overrides, some of which list what to choose from.

        Raises:
            ValueError: something of it cannot work, or trials failed.
        """
        if find_spec("optuna") is None:
            raise ValueError("sweep=optuna: optuna is not installed: pip install 'optuna>=4.9,<6'")
        if command.launcher:
            raise ValueError(
                "sweep=optuna draws a trial when another has ended, and hydra/launcher= starts all at once: leave it "
                "out, and start the same command on as many machines as you like, with the same hydra.sweep.dir"
            )
        from src.run.sweep.search import summary
        from src.run.sweep.search.crew import Crew
        from src.run.sweep.search.study import begun, sampler
        from src.run.sweep.search.trials import Trials

        began = time.monotonic()
        cli.check_hydra(command.config.hydra.overrides.hydra)
        question = self._question(command, arguments)
        grid = question.space.grid() if self.sampler == "grid" else None
        command.settled(self._folder(command, question))
        with Crew(command.folder) as crew:
            with crew.alone():
                study = begun(command.folder, self.study, question, grid or [])
            study.sampler = sampler(self.sampler, self.seed, crew.number)
            most = self.trials if grid is None else min(self.trials, len(grid))
            trials = Trials(command, study, question, crew, most, grid is None)
            summary.greet(command.folder, question, trials.rows, crew.others())
            signals = self._run(command, trials, question)
            summary.show(command, study, question)
            if self.webhook:
                send(summary.message(command.folder, study, question, time.monotonic() - began))
        if signals:
            sys.exit(128 + signals[0])
        if trials.failed:
            raise ValueError(f"{trials.failed} of {len(trials.rows)} trials failed: they are listed above")

    def _question(self, command: Command, arguments: Sequence[str]) -> "Question":
        from src.run.sweep.search.question import asked

        parser = OverridesParser.create(config_loader=command.context.config_loader)
        if not re.fullmatch(r"[\w.+-]+", self.study):
            raise ValueError(f"sweep.study={self.study!r}: a name of letters, digits and any of .+-_")
        rules = {"name": self.pruner, "min_epochs": self.min_epochs, "reduction": self.reduction}
        return asked(
            command,
            parser.parse_overrides(list(arguments)),
            parser,
            self.space,
            self.objectives,
            self.seeds,
            None if self.pruner == "none" else rules,
            self.invalid,
        )

    def _folder(self, command: Command, question: "Question") -> Path:
        """Where the same search was begun before, if it may go on there."""
        from src.run.sweep.search.study import FILE, earlier

        if not self.resume and (command.folder / FILE).exists():
            raise ValueError(
                f"{command.folder}: a search is here, and sweep.resume=false does not go on with it; remove the "
                "folder, or choose another hydra.sweep.dir"
            )
        if not self.resume or command.given:
            return command.folder
        return earlier(command.folder.parent, question.key) or command.folder

    def _run(self, command: Command, trials: "Trials", question: "Question") -> list[int]:
        """The signals that ended it."""
        left = sum(row.state in ("waiting", "running") for row in trials.rows)
        places = shares(self.jobs, [question.settings["trainer"]], max(1, left))
        with Progress(trials, len(places), self.verbose) as progress:
            pool = Pool(places, command.environment(), Room() if self.jobs == "auto" else None, progress.watch)
            while True:
                with closing(pool.run(trials.jobs())) as ended:  # whatever goes wrong here, no job is left running
                    for job in ended:
                        trials.note(job, bool(pool.signals))
                        progress.ended(job)
                if pool.signals or not trials.more():
                    return pool.signals
