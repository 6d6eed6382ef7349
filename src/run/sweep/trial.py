"""One combination of values, composed and checked as the run itself would, before anything is started."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.progress import track

from src.run import cli, resume
from src.run.sweep.command import Command

_SHOWN = 20  # combinations from which on a bar tells how far their check is


@dataclass(frozen=True)
class Trial:
    """What a job is to be; `refusal` says why it cannot."""

    name: str  # [3/8] model=unet seed=1
    overrides: list[str]
    varying: list[str]  # those of them that tell it from the others
    subfolder: str = ""  # where it would be
    identity: str = ""  # of its run, see `src.run.resume.identity`
    key: str = ""  # identity, and where several trials share one, or read other data, what tells them apart
    trainer: dict[str, Any] | None = None
    refusal: str | None = None


def trials(command: Command, combinations: Sequence[Sequence[str]]) -> list[Trial]:
    """All of them, in order. A hundred take some ten seconds."""
    cli.check_hydra(command.config.hydra.overrides.hydra)
    shown = track(
        _checked(command, combinations),
        f"checking {len(combinations)} combinations",
        len(combinations),
        transient=True,
        disable=len(combinations) < _SHOWN,
    )
    found = list(shown)
    several = Counter(trial.key for trial in found)
    return [replace(t, key=f"{t.key} {' '.join(t.varying)}") if several[t.key] > 1 else t for t in found]


def common(combinations: Sequence[Sequence[str]]) -> set[str]:
    """What all of them say, if there are several."""
    return set.intersection(*map(set, combinations)) if len(combinations) > 1 else set()


def _checked(command: Command, combinations: Sequence[Sequence[str]]) -> Iterator[Trial]:
    constant = common(combinations)
    for number, overrides in enumerate(combinations):
        varying = [word for word in overrides if word not in constant] or list(overrides)
        name = " ".join([f"[{number + 1}/{len(combinations)}]", *varying])
        trial = Trial(name, list(overrides), varying)
        try:
            settings, subfolder = command.settings(number, overrides, varying)
        except ValueError as error:
            yield replace(trial, refusal=str(error))
            continue
        identity = resume.identity(settings)
        root = settings["data"].get("root")  # two folders of data make one identity: a run may be moved with its data
        key = f"{identity} {root}" if root else identity
        yield replace(trial, subfolder=subfolder, identity=identity, key=key, trainer=settings["trainer"])
