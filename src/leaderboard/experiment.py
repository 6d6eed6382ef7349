"""A claim of `experiments/`, as the header of its file states it."""

import re
import shlex
from dataclasses import dataclass

from src.run.nearest import did_you_mean
from src.run.plugins import ROOT

FOLDER = ROOT / "experiments"
_PART = re.compile(r"# ([A-Z][^:|]*): (.*)")
_COMMAND = re.compile(r"python -m src\.\w+ .*=")


@dataclass(frozen=True)
class Experiment:
    """Its parts by name (Question, Command, Time, Result, Date and what else it says), lines as they stand there."""

    name: str
    parts: dict[str, str]

    def said(self, part: str) -> str:
        """A part in one line, up to a table if there is one; the empty string where it is missing."""
        lines = self.parts.get(part, "").splitlines()
        end = next((i for i, line in enumerate(lines) if line.startswith("|")), len(lines))
        return " ".join(line.strip() for line in lines[:end])

    @property
    def commands(self) -> list[list[str]]:
        """The words after `python -m` of each command, `src.x` first."""
        text = re.sub(r"\\\n\s*", " ", self.parts.get("Command", ""))
        return [shlex.split(line[line.index("src.") :]) for line in text.splitlines() if _COMMAND.search(line)]

    @property
    def trainings(self) -> list[str]:
        """What has to be run before there is something to report."""
        return [shlex.join(["python", "-m", *words]) for words in self.commands if words[0] == "src.train"]

    @property
    def reports(self) -> list[list[str]]:
        """The overrides of each `src.report` in it."""
        return [words[1:] for words in self.commands if words[0] == "src.report"]


def experiment(name: str) -> Experiment:
    """The one of that name.

    Raises:
        ValueError: there is none.
    """
    if name not in names():
        near = did_you_mean(str(name), names()) or "."
        raise ValueError(f"experiments={name}: no such experiment{near} There are: {', '.join(names())}; or say all")
    parts, current = {}, ""
    for line in (FOLDER / f"{name}.yaml").read_text(encoding="utf8").splitlines():
        if not line.startswith("#"):
            break
        if found := _PART.match(line):
            current, parts[found[1]] = found[1], found[2]
        elif current:
            parts[current] += f"\n{line[1:].strip()}"
    return Experiment(name, parts)


def names() -> list[str]:
    """Every experiment that there is."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))
