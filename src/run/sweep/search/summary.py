"""What a search came to, for the terminal, for a message and for whoever goes on with it."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from optuna import Study
from optuna.importance import get_param_importances
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from src.run.folder import write
from src.run.sweep.command import Command
from src.run.sweep.past import DONE
from src.run.sweep.plan import Row
from src.run.sweep.search.question import Question
from src.run.sweep.search.rows import REFUSED, REPEATS
from src.run.sweep.search.study import FILE

BEST = "best.yaml"
_SHOWN = 10  # trials in the table
_TELLING = 10  # trials from which on an importance is more than noise


def greet(folder: Path, question: Question, rows: Sequence[Row], others: int) -> None:
    """Say what begins, or goes on."""
    ended = sum(row.state in DONE for row in rows)
    keys = ", ".join(question.space.distributions)
    alike = f", all with {' '.join(question.constant)}" if question.constant else ""
    print(f"{len(rows)} trials of {keys} in {folder}{alike}", flush=True)
    begun = sum(row.state == "running" for row in rows)
    if ended or begun:
        way = f", {begun} were under way" if begun else ""
        print(f"going on: {ended} have ended{way} (sweep.resume=false begins anew)", flush=True)
    if others:
        print(f"{others} other process{'es work' if others > 1 else ' works'} on it", flush=True)


def show(command: Command, study: Study, question: Question) -> None:
    """Print it, and write best.yaml."""
    trials = study.get_trials(deepcopy=False)
    _show_ended(command.folder, trials)
    top = _best(study)
    if top:
        Console(soft_wrap=True, highlight=False).print(_table(question, top))
        words = _importances(study)
        print(f"{words}best:      {_again(command, question, top[0])}")
        chosen = top if len(question.objectives) > 1 else top[:1]
        write(command.folder / BEST, yaml.safe_dump([_facts(command, question, t) for t in chosen], sort_keys=False))
        print(f"           {command.folder / BEST}")
    runs, output = (shlex.quote(str(path)) for path in (command.folder, command.folder / "report"))
    journal = shlex.quote(str(command.folder / FILE))
    print(f"search:    {command.folder}\nreport:    python -m src.report runs={runs} output={output}")
    print(f"dashboard: optuna-dashboard {journal}", flush=True)


def message(folder: Path, study: Study, question: Question, seconds: float) -> dict[str, Any]:
    """The same as plain values; `text` is what chats show."""
    trials, top = study.get_trials(deepcopy=False), _best(study)[:1]
    ended = sum(trial.state in (TrialState.COMPLETE, TrialState.PRUNED) for trial in trials)
    failures = [trial for trial in trials if trial.state == TrialState.FAIL and REFUSED not in trial.user_attrs]
    words = [f"Search {folder.name}: {ended} trials ended"]
    words += [f"{len(failures)} failed"] if failures else []
    words += [f"best {_said(trial.values)} ({_name(trial)})" for trial in top]
    return {
        "text": ", ".join(words),
        "folder": str(folder.absolute()),
        "trials": ended,
        "seconds": round(seconds, 1),
        "best": top[0].params if top else None,
        "values": dict(zip(question.objectives, top[0].values, strict=True)) if top else None,
        "failures": [{"trial": _name(trial), "error": trial.user_attrs.get("trouble")} for trial in failures],
    }


def _show_ended(folder: Path, trials: Sequence[FrozenTrial]) -> None:
    own = [trial for trial in trials if REFUSED not in trial.user_attrs]
    counts = {state: sum(trial.state == state for trial in own) for state in TrialState}
    bad = [trial for trial in own if trial.state == TrialState.FAIL]
    parts = [f"{counts[TrialState.COMPLETE]} finished"]
    parts += [f"{counts[TrialState.PRUNED]} pruned"] if counts[TrialState.PRUNED] else []
    parts += [f"{counts[TrialState.RUNNING]} not ended yet"] if counts[TrialState.RUNNING] else []
    parts += [f"{len(trials) - len(own)} left out, for they cannot work"] if len(own) < len(trials) else []
    parts += [f"{len(bad)} failed:"] if bad else []
    print(f"\ntrials: {', '.join(parts)}")
    for trial in bad:
        print(f"  {_name(trial)}\n    {trial.user_attrs.get('trouble')}")
        print(f"    {folder / trial.user_attrs.get('folder', '') / 'log.txt'}")


def _best(study: Study) -> list[FrozenTrial]:
    """The Pareto front, or all that finished, the best first."""
    up = study.directions[0].name == "MAXIMIZE"
    several = len(study.directions) > 1
    found = study.best_trials if several else study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    own = [trial for trial in found if REPEATS not in trial.user_attrs]
    return sorted(own, key=lambda trial: (-trial.values[0] if up else trial.values[0], trial.number))


def _table(question: Question, top: Sequence[FrozenTrial]) -> Table:
    title = "Pareto front" if len(question.objectives) > 1 else None
    table = Table(box=None, pad_edge=False, title=title, title_justify="left")
    for name in ("trial", *question.objectives, *question.space.distributions):
        table.add_column(escape(name))
    for trial in top[:_SHOWN]:
        values = [f"{value:.4g}" for value in trial.values]
        shown = [word.partition("=")[2] for word in question.space.short(trial.params)]
        table.add_row(*map(escape, [str(trial.number + 1), *values, *shown]))
    return table


def _importances(study: Study) -> str:
    """How much each key decides (PED-ANOVA), where there is one objective and enough to tell."""
    ended = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(study.directions) > 1 or len(ended) < _TELLING or len({trial.values[0] for trial in ended}) == 1:
        return ""
    shares = get_param_importances(study)
    return f"decides:   {', '.join(f'{key} {share:.0%}' for key, share in shares.items())}\n"


def _facts(command: Command, question: Question, trial: FrozenTrial) -> dict[str, Any]:
    """What best.yaml says of a trial."""
    return {
        "trial": trial.number + 1,
        **dict(zip(question.objectives, trial.values, strict=True)),
        "values": trial.params,
        "overrides": [*question.constant, *question.space.words(trial.params)],
        "folder": trial.user_attrs.get("folder"),
        "command": _again(command, question, trial),
    }


def _again(command: Command, question: Question, trial: FrozenTrial) -> str:
    """The command that trains it again."""
    words = [*question.constant, *question.space.words(trial.params)]
    several = ["-m"] if len(question.seeds) > 1 else []
    seed = [f"seed={','.join(question.seeds)}"] if any(question.seeds) else []
    return shlex.join([*command.said(), *several, *words, *seed])


def _name(trial: FrozenTrial) -> str:
    return trial.user_attrs.get("name", f"[{trial.number + 1}]")


def _said(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
