from pathlib import Path

import pytest

from src.benchmark import sweep
from src.run.sweep.job import Job

OPTIONS = {"jobs": 2, "runs": 4, "epochs": 1, "samples": 4, "size": [32, 32]}
FINISHED = 'echo \'{"status": "finished", "score": 1.0}\' > results.json'


def test_two_at_a_time_are_twice_as_many_an_hour_where_each_only_waits(monkeypatch):
    waiting = lambda options, folder, place: Job(["sh", "-c", f"cd {place}; sleep 0.5; {FINISHED}"], place)  # noqa: E731
    monkeypatch.setattr(sweep, "training", waiting)
    rows = sweep.run({"sweep": OPTIONS, "rounds": 1})
    assert [(row.peer, row.goal) for row in rows] == [
        ("one at a time, one thread", 1.6),
        ("one at a time, one thread", 1.25),
        ("one at a time, all threads", 1.0),
        ("one at a time, all threads", None),
    ]
    assert [row.unit for row in rows] == ["runs/h", "s"] * 2
    for row in rows[::2]:
        assert row.ratio == pytest.approx(2, rel=0.2)
        assert row.met == "yes"
        assert 4000 < row.theirs[0] < 7200  # a look every fifth of a second adds to each half one


def test_a_training_that_fails_is_no_figure(monkeypatch):
    monkeypatch.setattr(sweep, "training", lambda options, folder, place: Job(["false"], place))
    with pytest.raises(ChildProcessError, match="a training, decoding: exit code 1"):
        sweep.run({"sweep": OPTIONS, "rounds": 1})


@pytest.mark.long
def test_the_trainings_are_real(tmp_path):
    options = OPTIONS | {"runs": 1, "jobs": 1}
    assert all(figure > 0 for row in sweep.run({"sweep": options, "rounds": 1}) for figure in (*row.ours, *row.theirs))
    assert Path(sweep.training(options, tmp_path, tmp_path).folder) == tmp_path
