"""Optuna's study in a sweep's folder: the same for every process that works on it."""

import json
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import join
from typing import Any

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.trial import TrialState

from src.run.folder import write_json
from src.run.sweep.search.journal import Journal
from src.run.sweep.search.objective import directions
from src.run.sweep.search.question import Question

FILE, NAME = "search.journal", "search.json"
_STARTUP = 5  # trials that end before a median is one


def begun(folder: Path, name: str, question: Question, planned: Sequence[Mapping[str, Any]]) -> optuna.Study:
    """The study of a folder, made where there is none. To be called while nobody else does.

    Args:
        planned: trials that shall wait in it, those left out that have ended well or are under way.

    Raises:
        ValueError: the folder holds another study.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = JournalStorage(Journal(folder / FILE))
    for there in optuna.get_all_study_summaries(storage):
        if there.study_name != name or there.user_attrs.get("key", question.key) != question.key:
            raise ValueError(
                f"{folder}: holds the study {there.study_name!r}, begun with another space, objectives, seeds, pruner, "
                "name or settings. Choose another hydra.sweep.dir, or say the same again; sampler, trials and jobs may "
                "change"
            )
    study = optuna.create_study(
        storage=storage, study_name=name, directions=directions(question.objectives), load_if_exists=True
    )
    study.set_user_attr("key", question.key)
    study.set_user_attr("pruner", question.pruning)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # of the names alone, which the dashboard shows
        study.set_metric_names(question.objectives)
    known = [trial for trial in study.get_trials(deepcopy=False) if trial.state != TrialState.FAIL]
    tried = [trial.params or trial.system_attrs["fixed_params"] for trial in known]
    for values in planned:
        if values not in tried:
            study.enqueue_trial(dict(values))
    write_json(folder / NAME, {"study": name, "key": question.key, "command": join(["python", *sys.orig_argv[1:]])})
    return _ruled(study)


def earlier(root: Path, key: str) -> Path | None:
    """The newest folder below `root` where the same is searched."""
    for file in sorted(root.glob(f"*/{NAME}"), key=lambda file: file.stat().st_mtime_ns, reverse=True):
        if json.loads(file.read_text(encoding="utf8")).get("key") == key:
            return file.parent
    return None


def opened(journal: Path, name: str, number: int) -> optuna.Trial | None:
    """A trial as its run sees it, with the rules that end hopeless ones; None where there is none that is under way."""
    if not journal.is_file():
        return None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = _ruled(optuna.load_study(study_name=name, storage=JournalStorage(Journal(journal))))
    frozen = study.get_trials(deepcopy=False)[number]
    return optuna.Trial(study, frozen._trial_id) if frozen.state == TrialState.RUNNING else None


def sampler(name: str, seed: int, start: int) -> BaseSampler:
    """How trials are drawn.

    Args:
        name: tpe, or random, also for a grid, whose trials wait in the study.
        seed: of the search.
        start: 0 for the process that began the study, then 1 for the next: no two draw the same.
    """
    (own,) = np.random.SeedSequence([seed, start]).generate_state(1).tolist()
    return TPESampler(seed=own, constant_liar=True) if name == "tpe" else RandomSampler(own)


def pruner(rules: Mapping[str, Any] | None) -> BasePruner:
    """When a trial is given up.

    Args:
        rules: `name` (hyperband or median), `min_epochs` before which none is, `reduction` (one of so many goes on, at
            each of Hyperband's looks) and `epochs`, the most that a trial may have, None if that is not known.
    """
    if rules is None:
        return NopPruner()
    if rules["name"] == "median":
        return MedianPruner(_STARTUP, rules["min_epochs"])
    return HyperbandPruner(rules["min_epochs"], rules["epochs"] or "auto", rules["reduction"])


def _ruled(study: optuna.Study) -> optuna.Study:
    study.pruner = pruner(study.user_attrs["pruner"])
    return study
