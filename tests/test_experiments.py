"""The commands in the headers of experiments/*.yaml: every job of every sweep would start."""

import itertools
import re

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from src.leaderboard.course import course
from src.leaderboard.experiment import FOLDER, experiment, names
from src.run import cli
from src.run.build import plain
from src.run.check import check
from src.run.device import resolved

PLACES = {"PATH": "anywhere", "SBD": "elsewhere"}


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
    for name in names()
    for command, *words in experiment(name).commands
    if command == "src.train"
    for job in jobs(words)
]


@pytest.mark.parametrize("job", JOBS, ids=lambda job: " ".join(job))
def test_every_job_composes_and_goes_together(job):
    words = [re.sub("|".join(PLACES), lambda found: PLACES[found[0]], word) for word in job]
    config = plain(cli.compose("train", [word for word in words if not word.startswith("init=")]))
    check(config | {"trainer": resolved(config["trainer"])})


def test_a_sweep_has_as_many_jobs_as_it_should():
    counts = {name: sum(len(jobs(words)) for command, *words in experiment(name).commands if command == "src.train")
              for name in ("upsampling", "skips", "fusion", "first_tries", "imbalance", "weak_labels")}  # fmt: skip
    assert counts == {"upsampling": 6, "skips": 5, "fusion": 8, "first_tries": 3, "imbalance": 5, "weak_labels": 7}


@pytest.mark.parametrize("name", names())
def test_an_experiment_is_a_claim_with_a_date_and_says_how_its_table_is_made(name):
    found = experiment(name)
    for part in ("Question", "Command", "Time", "Result"):
        assert found.said(part), part
    assert re.fullmatch(r"\d{4}-\d\d-\d\d, version \d+\.\d+\.\d+.*", found.said("Date"))
    assert found.trainings
    assert found.reports
    folders = [word for command, *words in found.commands if command == "src.train" for word in words]
    for words in found.reports:
        config = cli.compose("report", words)
        check(plain(config), "report")
        assert config.axes
        assert config.columns
        assert re.search(rf"hydra\.(run|sweep)\.dir={config.runs}(/|$)", "\n".join(folders), re.M)


def test_what_was_run_is_stored_under_its_experiment_s_name():
    assert {file.stem for file in FOLDER.glob("*.csv")} <= {*names(), "weak_other"}


def test_the_course_is_up_to_date():
    assert (FOLDER / "README.md").read_text() == course(), "python -m src.report experiments=all writes it"


def test_the_course_tells_of_every_experiment_once_in_the_lecture_s_order():
    told = re.findall(r"^### (\w+)$", course(), re.M)
    assert sorted(told) == names()
    assert told.index("first_tries") < told.index("skips") < told.index("roi") < told.index("colors")
    for target in re.findall(r"\]\(([^)#]+)\)", course()):
        assert (FOLDER / target).exists(), target
