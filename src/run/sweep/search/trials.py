"""The trials of a search, one after another: drawn, run, and told what came of them."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from optuna import Study, Trial
from optuna.trial import TrialState

from src.run.sweep.command import Command
from src.run.sweep.job import Job
from src.run.sweep.search.crew import Crew
from src.run.sweep.search.objective import figures
from src.run.sweep.search.question import Question
from src.run.sweep.search.rows import REFUSED, REPEATS, rows
from src.run.sweep.search.runs import Run, runs

_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
_TRIES = 100  # draws in a row that cannot work


@dataclass(eq=False)
class _Open:
    """A trial that is under way."""

    trial: Trial
    waiting: deque[Run]  # its other seeds, which the first has to deserve
    results: list[Mapping[str, Any]] = field(default_factory=list)


class Trials:
    """Those of one process; others may add theirs to the same study."""

    def __init__(
        self, command: Command, study: Study, question: Question, crew: Crew, most: int, sampled: bool = True
    ) -> None:
        """See above.

        Args:
            most: trials that shall have ended in all.
            sampled: any number can be drawn; else those that wait in the study are all there are.
        """
        self._command, self._study, self._question, self._crew = command, study, question, crew
        self._most, self._sampled = most, sampled
        # what failed before is given another chance
        self._past = {trial.number for trial in study.get_trials(deepcopy=False, states=(TrialState.FAIL,))}
        self._ready: deque[Job] = deque()
        self._open: dict[Job, _Open] = {}
        self._refused = 0
        self.rows = rows(study, most, self._past)

    def jobs(self) -> Iterator[Job]:
        """The next run whenever there is a place for one, until enough trials have ended or are under way."""
        while True:
            if not self._ready:
                for trial in self._crew.adopt(self._study):
                    self._begin(trial)
            while not self._ready and self._drawn():
                pass  # what cannot work, or is known, leaves nothing to run
            if not self._ready:
                return
            job = self._ready.popleft()
            self._refresh()
            yield job

    def more(self) -> bool:
        """Whether there is something to run that was not there when `jobs` came to its end."""
        return bool(self._ready) or not self._enough()

    def note(self, job: Job, stopped: bool) -> None:
        """What became of a run.

        Args:
            stopped: this process is asked to end, and its jobs with it: the trial stays open, to be gone on with.
        """
        one = self._open.pop(job)
        if job.trouble and (stopped or job.trouble == "interrupted"):
            one.trial.set_user_attr("trouble", "interrupted")
        elif job.trouble:
            self._fail(one.trial, job.trouble)
        else:
            self._add(one, {"seconds": job.seconds, **job.results})
        self._refresh()

    @property
    def failed(self) -> int:
        """Trials that failed since this process began."""
        return sum(row.state == "failed" for row in rows(self._study, 0, self._past))

    def _refresh(self) -> None:
        self.rows[:] = rows(self._study, self._most, self._past)

    def _enough(self) -> bool:
        """Failures count for the process that saw them: else a search in which everything fails would have no end."""
        left = self._sampled or bool(self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))
        return not left or not any(row.state == "waiting" for row in rows(self._study, self._most, self._past))

    def _drawn(self) -> bool:
        """Whether there was one more to draw: while nobody else does, so that there will not be more than enough."""
        with self._crew.alone():
            if self._enough():
                return False
            trial = self._study.ask(self._question.space.distributions)
            trial.set_user_attr("crew", self._crew.number)
        self._begin(trial)
        return True

    def _begin(self, trial: Trial) -> None:
        """Make a trial's first run ready, or tell what is known without running anything."""
        try:
            found = runs(self._command, self._question, self._study.study_name, trial.number, trial.params)
        except ValueError as error:
            self._refuse(trial, str(error))
            return
        self._refused = 0
        first = found[0]
        trial.set_user_attr("name", first.job.name)
        trial.set_user_attr("folder", first.job.folder.relative_to(self._command.folder).as_posix())
        trial.set_user_attr("identity", first.identity)
        trial.set_user_attr("trouble", None)  # it may have been interrupted before
        if not self._repeated(trial, first.identity):
            self._next(_Open(trial, deque(found)))

    def _next(self, one: _Open) -> None:
        """Its next run, or its result."""
        if not one.waiting:
            self._tell(one)
            return
        run = one.waiting.popleft()
        if run.results is None:
            self._open[run.job] = one
            self._ready.appendleft(run.job)
        else:
            self._add(one, run.results)

    def _add(self, one: _Open, results: Mapping[str, Any]) -> None:
        one.results.append(results)
        one.trial.set_user_attr("seconds", round(sum(found.get("seconds") or 0.0 for found in one.results), 1))
        if results.get("status") == "pruned":
            self._study.tell(one.trial, state=TrialState.PRUNED, skip_if_finished=True)
        else:
            self._next(one)

    def _tell(self, one: _Open) -> None:
        try:
            values = figures(self._question.objectives, one.results)
        except ValueError as error:
            self._fail(one.trial, str(error))
        else:
            self._study.tell(one.trial, values, skip_if_finished=True)

    def _fail(self, trial: Trial, trouble: str) -> None:
        trial.set_user_attr("trouble", trouble)
        self._study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)

    def _refuse(self, trial: Trial, reason: str) -> None:
        """Values that do not go together are no trial at all."""
        trial.set_user_attr(REFUSED, reason)
        self._study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
        self._refused += 1
        if self._refused == _TRIES:
            raise ValueError(f"{_TRIES} combinations in a row cannot work, the last because: {reason}")

    def _repeated(self, trial: Trial, identity: str) -> bool:
        """Whether the same run has ended before, as happens where there is a finite choice: it is not done again."""
        for other in self._study.get_trials(deepcopy=False, states=_ENDED):
            if other.user_attrs.get("identity") == identity and REPEATS not in other.user_attrs:
                for step, value in other.intermediate_values.items():
                    trial.report(value, step)
                trial.set_user_attr("folder", other.user_attrs["folder"])
                trial.set_user_attr(REPEATS, other.number)
                self._study.tell(trial, other.values if other.state == TrialState.COMPLETE else None, other.state)
                return True
        return False
