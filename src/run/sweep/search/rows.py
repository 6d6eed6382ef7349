"""A study as the rows of a sweep: what has ended, runs, and is still to come."""

from collections.abc import Set

from optuna import Study
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from src.run.sweep.plan import Row

REFUSED = "refused"  # the attribute of what was drawn and cannot work, with the reason
REPEATS = "repeats"  # the attribute of a trial whose run was made before, with that one's number
_STATES = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}


def rows(study: Study, most: int, past: Set[int]) -> list[Row]:
    """One for each trial, and for those that will be drawn.

    Args:
        most: trials that shall have ended in all.
        past: numbers of trials that do not count.
    """
    trials = [t for t in study.get_trials(deepcopy=False) if REFUSED not in t.user_attrs and t.number not in past]
    up = study.directions[0] == StudyDirection.MAXIMIZE
    begun = [_row(trial, up) for trial in trials if trial.state != TrialState.WAITING]
    return [*begun, *(Row(f"[{number + 1}]", [], "", "", "") for number in range(len(begun), most))]


def _row(trial: FrozenTrial, up: bool) -> Row:
    told = trial.user_attrs
    row = Row(told.get("name", f"[{trial.number + 1}]"), [], told.get("identity", ""), "", told.get("folder", ""))
    row.state, row.seconds = _STATES[trial.state], told.get("seconds")
    row.trouble = told.get("trouble") if row.state in ("failed", "running") else None
    if up and trial.state == TrialState.COMPLETE:  # what was ended early has a score that cannot be compared
        row.score = trial.values[0]
    return row
