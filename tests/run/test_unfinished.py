import json

import pytest

from src.run import resume
from src.run.build import plain
from src.run.cli import compose


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """`runs(name, status, *overrides)` makes the folder of a run below the current folder's runs/."""
    monkeypatch.chdir(tmp_path)

    def make(name, status, *overrides):
        folder = tmp_path / "runs" / "2026-01-01" / name
        folder.mkdir(parents=True)
        facts = {"status": status, "identity": resume.identity(plain(compose("train", list(overrides))))}
        (folder / "results.json").write_text(json.dumps(facts))
        return folder

    return make


def test_auto_finds_the_newest_unfinished_folder_of_the_same_run(runs):
    runs("a", "interrupted", "seed=1")
    wanted = runs("b", "running", "seed=1")
    runs("c", "finished", "seed=1")
    runs("d", "failed", "seed=2")
    words = ["seed=1", "resume=auto", "data.workers=3", "logger=none", "data.cache_folder=elsewhere"]
    assert resume.located(words) == [*words, f"hydra.run.dir='{wanted}'"]


@pytest.mark.parametrize(
    "words",
    [
        ["seed=1"],
        ["seed=3", "resume=auto"],
        ["seed=1", "resume=auto", "hydra.run.dir=x"],
        ["-m", "seed=1", "resume=auto"],
        ["sead=1", "resume=auto"],
        ["seed=1", "loss=dice", "resume=auto"],
    ],
)
def test_the_command_stays_as_it_is_where_there_is_nothing_to_find(runs, words):
    runs("a", "interrupted", "seed=1")
    assert resume.located(words) == words


def test_the_newest_is_tried_first_and_the_named_one_before_it(tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for age, name in enumerate(("best.ckpt", "last.ckpt", ".last.ckpt.12")):
        (folder / name).touch()
        import os

        os.utime(folder / name, (1000 + age, 1000 + age))
    best, last = folder / "best.ckpt", folder / "last.ckpt"
    assert resume.named("auto", tmp_path) == [last, best]
    assert resume.named(str(best), tmp_path) == [best, last]
    assert resume.named(None, tmp_path) == []
    assert resume.usable([]) is None
