"""The commands in the headers of experiments/*.yaml: every job of every sweep would start."""

import itertools
import re
import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from src.run import cli, plugins
from src.run.build import plain
from src.run.check import check
from src.run.device import resolved

PLACES = {"PATH": "anywhere", "SBD": "elsewhere"}


def commands(name: str) -> list[list[str]]:
    """The words after `python -m src.x` of each command in a header, `src.x` first."""
    lines = (plugins.ROOT / "experiments" / f"{name}.yaml").read_text().splitlines()
    header = "\n".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", header)
    found = [line for line in joined.splitlines() if re.search(r"python -m src\.\w+ .*=", line)]
    return [shlex.split(line[line.index("src.") :]) for line in found]


def jobs(words: list[str]) -> list[list[str]]:
    """What `-m` makes of the words: one list of overrides per job, seeds but the first left out."""
    words = [word for word in words if word != "-m" and not word.startswith("hydra.")]
    choices = []
    for word, parsed in zip(words, OverridesParser.create().parse_overrides(words), strict=True):
        values = list(parsed.sweep_string_iterator()) if parsed.is_sweep_override() else []
        choices.append([f"{parsed.input_line.partition('=')[0]}={value}" for value in values] or [word])
    return [list(job) for job in itertools.product(*(c[:1] if c[0].startswith("seed=") else c for c in choices))]


JOBS = [
    job
    for file in sorted((plugins.ROOT / "experiments").glob("*.yaml"))
    for command, *words in commands(file.stem)
    if command == "src.train"
    for job in jobs(words)
]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: " ".join(job))
def test_every_job_composes_and_goes_together(job):
    words = [re.sub("|".join(PLACES), lambda found: PLACES[found[0]], word) for word in job]
    config = plain(cli.compose("train", [word for word in words if not word.startswith("init=")]))
    check(config | {"trainer": resolved(config["trainer"])})


def test_a_sweep_has_as_many_jobs_as_it_should():
    counts = {name: sum(len(jobs(words)) for command, *words in commands(name) if command == "src.train")
              for name in ("upsampling", "skips", "fusion", "first_tries", "imbalance", "weak_labels")}  # fmt: skip
    assert counts == {"upsampling": 6, "skips": 5, "fusion": 8, "first_tries": 3, "imbalance": 5, "weak_labels": 7}


@pytest.mark.parametrize("name", ["upsampling", "skips", "fusion", "first_tries", "imbalance", "weak_labels"])
def test_a_study_says_how_its_table_is_made(name):
    reports = [words for command, *words in commands(name) if command == "src.report"]
    assert reports
    for words in reports:
        config = cli.compose("report", words)
        assert config.axes
        assert config.columns
