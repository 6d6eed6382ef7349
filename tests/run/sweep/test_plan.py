import json
import multiprocessing
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from src.run.folder import write_json
from src.run.lock import locked
from src.run.sweep import past, summary
from src.run.sweep.command import Command
from src.run.sweep.job import Job
from src.run.sweep.past import earlier
from src.run.sweep.plan import Plan
from src.run.sweep.trial import Trial


class Fake(Command):
    """Makes jobs that can be looked at."""

    def __init__(self) -> None:
        pass

    def job(self, overrides: Sequence[str], folder: Path, name: str) -> Job:
        return Job([*overrides], folder, name)


def trial(number: int, identity: str, **more: Any) -> Trial:
    given = {"subfolder": f"{number}_x", "identity": identity, "key": identity, **more}
    return Trial(f"[{number + 1}/3] seed={number}", [f"seed={number}"], [f"seed={number}"], **given)


def ran(folder: Path, identity: str, status: str, saved: bool = True) -> None:
    facts = {"identity": identity, "status": status, "score": 0.5, "seconds": 3.0}
    write_json(folder / "results.json", facts)
    if saved:
        (folder / "checkpoints").mkdir(exist_ok=True)
        (folder / "checkpoints" / "last.ckpt").touch()


def left(made: Plan) -> dict[str, list[str]]:
    """Folder and overrides of what is to be run."""
    return {job.folder.name: job.command for job in made.jobs(Fake())}


def test_a_new_sweep_runs_all_of_it(tmp_path):
    made = Plan(tmp_path, [trial(0, "a"), trial(1, "b")], again=True)
    assert left(made) == {"0_x": ["seed=0"], "1_x": ["seed=1"]}
    assert [row["state"] for row in json.loads((tmp_path / "sweep.json").read_text())["jobs"]] == ["running"] * 2


def test_what_is_finished_stays_and_what_was_cut_goes_on(tmp_path):
    for number, status in enumerate(("finished", "pruned", "interrupted", "running", "failed")):
        ran(tmp_path / f"{number}_x", f"id{number}", status)
    ran(tmp_path / "5_x", "id5", "failed", saved=False)
    made = Plan(tmp_path, [trial(number, f"id{number}") for number in range(6)], again=True)
    assert left(made) == {**{f"{n}_x": [f"seed={n}", "resume=auto"] for n in (2, 3, 4)}, "5_x": ["seed=5"]}
    assert [row.score for row in made.rows][:3] == [0.5, 0.5, None]


def test_the_configuration_counts_and_not_the_folder_s_name(tmp_path):
    ran(tmp_path / "deep" / "elsewhere", "a", "finished")
    ran(tmp_path / "1_x", "other", "finished")
    made = Plan(tmp_path, [trial(0, "a"), trial(1, "b")], again=True)
    assert left(made) == {"1_x_2": ["seed=1"]}  # what is there stays
    assert made.rows[0].folder == "deep/elsewhere"


def test_of_two_runs_the_finished_one_counts(tmp_path):
    ran(tmp_path / "0_x", "a", "failed")
    ran(tmp_path / "other", "a", "finished")
    assert left(Plan(tmp_path, [trial(0, "a")], again=True)) == {}


def test_jobs_of_one_identity_are_told_apart_by_what_varies(tmp_path):
    alike = [trial(n, "a", key=f"a devices={n}") for n in range(3)]
    Plan(tmp_path, alike, again=True)
    ran(tmp_path / "1_x", "a", "finished")
    assert list(left(Plan(tmp_path, alike, again=True))) == ["0_x", "2_x"]


def test_other_data_is_another_sweep(tmp_path):
    here, there = trial(0, "a", key="a /data/here"), trial(0, "a", key="a /data/there")
    Plan(tmp_path, [here], again=True)
    ran(tmp_path / "0_x", "a", "finished")
    assert left(Plan(tmp_path, [here], again=True)) == {}
    assert left(Plan(tmp_path, [there], again=True)) == {"0_x_2": ["seed=0"]}


def test_anew_means_all_of_it(tmp_path):
    ran(tmp_path / "0_x", "a", "finished")
    assert left(Plan(tmp_path, [trial(0, "a")], again=False)) == {"0_x": ["seed=0"]}


def test_a_sweep_is_found_by_its_jobs(tmp_path):
    jobs = [trial(0, "a"), trial(1, "b"), trial(2, "", refusal="cannot work")]
    for number, name in enumerate(("first", "newest", "other")):
        (tmp_path / name).mkdir()
        Plan(tmp_path / name, jobs[: 3 if name != "other" else 1], again=True)
        time.sleep(0.01 * number)
    assert earlier(tmp_path, jobs[::-1]) == tmp_path / "newest"
    assert earlier(tmp_path, [trial(0, "c")]) is None


def test_a_job_that_still_saves_is_waited_for(tmp_path):
    place = tmp_path / "0_x"
    ran(place, "a", "running")
    fork = multiprocessing.get_context("fork")
    began = fork.Event()
    saving = fork.Process(target=_hold, args=(place, began))
    saving.start()
    began.wait()
    made = Plan(tmp_path, [trial(0, "a")], again=True)
    saving.join()
    assert made.rows[0].state == "finished"


def test_a_job_that_goes_on_is_not_begun_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(past, "holder", lambda folder: "process 7 on moon")
    monkeypatch.setattr(past, "_PATIENCE", 0.0)
    ran(tmp_path / "0_x", "a", "running")
    (tmp_path / "0_x" / ".lock").touch()
    made = Plan(tmp_path, [trial(0, "a"), trial(1, "b")], again=True)
    assert list(left(made)) == ["1_x"]
    assert made.rows[0].trouble == "still running as process 7 on moon; it was not begun again"
    assert "process 7 on moon is still running, of an earlier sweep; waiting for it to end" in capsys.readouterr().out


def test_a_damaged_record_is_named(tmp_path):
    (tmp_path / "0_x").mkdir()
    (tmp_path / "0_x" / "results.json").write_text("{")
    with pytest.raises(ValueError, match=r"0_x/results\.json: is no JSON .* remove it, or choose another"):
        Plan(tmp_path, [trial(0, "a")], again=True)


def test_what_became_of_each_is_written_and_summed_up(tmp_path, capsys):
    made = Plan(tmp_path, [trial(0, "a"), trial(1, "b"), trial(2, "c")], again=True)
    for number, job in enumerate(made.jobs(Fake())):
        if number == 2:
            break
        job.score, job.trouble = (0.25, None) if number == 0 else (None, "exit code 1: it broke")
        job.results = {"status": "finished" if number == 0 else "failed"}
        made.note(job)
    written = json.loads((tmp_path / "sweep.json").read_text())["jobs"]
    assert [row["state"] for row in written] == ["finished", "failed", "running"]
    told = summary.message(made, left_out=4, seconds=1.23)
    assert told["text"] == f"Sweep {tmp_path.name}: 1 of 3 jobs finished, 1 failed, best 0.2500 (seed=0)"
    assert told["best"] == {"job": "seed=0", "score": 0.25, "folder": "0_x"}
    assert told["failures"] == [{"job": "seed=1", "error": "exit code 1: it broke", "folder": "1_x"}]
    assert (told["left_out"], told["seconds"]) == (4, 1.2)
    summary.show(made, left_out=4)
    out = capsys.readouterr().out
    assert "1 of 3 jobs finished (4 more cannot work and were left out), these did not:\n  [2/3] seed=1" in out
    assert f"best:   0.2500 [1/3] seed=0\n        {tmp_path}/0_x\n" in out


def test_another_launcher_is_told_where_its_jobs_are(tmp_path):
    ran(tmp_path / "1_x", "b", "interrupted")
    made = Plan(tmp_path, [trial(0, "a"), trial(1, "b")], again=True)
    where = [[f"hydra.run.dir='{tmp_path}/{n}_x'", f"hydra.sweep.subdir='{n}_x'"] for n in (0, 1)]
    assert list(made.overrides()) == [["seed=0", *where[0]], ["seed=1", "resume=auto", *where[1]]]
    ran(tmp_path / "0_x", "a", "finished")
    made.read()
    assert [(row.state, row.trouble) for row in made.rows] == [
        ("finished", None),
        ("interrupted", "interrupted"),
    ]


def _hold(folder: Path, began: Any) -> None:
    with locked(folder):
        began.set()
        time.sleep(0.3)
        ran(folder, "a", "finished")
