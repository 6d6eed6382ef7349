"""The processes that work on one search, on this machine or on others that see the same folder."""

import time
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

from optuna import Study, Trial
from optuna.trial import FrozenTrial, TrialState

from src.run.lock import holder, locked

_PATIENCE = 30.0  # seconds that another one's start may take
_MOMENT = timedelta(minutes=1)  # from which on a trial that nobody signed has lost its owner


class Crew:
    """This process as the `number`-th of them: a context that holds a lock, which the kernel opens if it dies."""

    def __init__(self, folder: Path) -> None:
        """See above.

        Args:
            folder: of the sweep.
        """
        self._folder, self._places = folder, folder / ".crew"
        self._held = ExitStack()
        self.number = -1

    def __enter__(self) -> "Crew":
        with self.alone():
            self.number = len(list(self._places.glob("*")))
            own = self._places / str(self.number)
            own.mkdir(parents=True)
            self._held.enter_context(locked(own, "hydra.sweep.dir"))
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def alone(self) -> ExitStack:
        """A context in which no other process of this search, and no other sweep, has the folder."""
        stack, deadline = ExitStack(), time.monotonic() + _PATIENCE
        while True:
            try:
                stack.enter_context(locked(self._folder, "hydra.sweep.dir"))
            except ValueError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return stack

    def others(self) -> int:
        """How many more there are now."""
        return sum(self._alive(int(place.name)) for place in self._places.glob("*"))

    def adopt(self, study: Study) -> list[Trial]:
        """The trials whose process is no more; from now on they are ours."""
        if not self._orphans(study):
            return []
        with self.alone():
            found = [Trial(study, orphan._trial_id) for orphan in self._orphans(study)]
            for trial in found:
                trial.set_user_attr("crew", self.number)
        return found

    def _orphans(self, study: Study) -> list[FrozenTrial]:
        running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        return [trial for trial in running if not self._cared_for(trial)]

    def _cared_for(self, trial: FrozenTrial) -> bool:
        number = trial.user_attrs.get("crew")
        if number is None:  # it was asked for a moment ago, or its process died in that moment
            return trial.datetime_start is not None and datetime.now() - trial.datetime_start < _MOMENT
        return number == self.number or self._alive(number)

    def _alive(self, number: int) -> bool:
        """Of another one: to look at our own lock would open it."""
        return number != self.number and holder(self._places / str(number)) is not None
