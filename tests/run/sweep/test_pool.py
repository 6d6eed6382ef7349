"""With small real commands in place of trainings."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from src.run.sweep.job import Job
from src.run.sweep.pool import Pool
from src.run.sweep.room import Room
from src.run.sweep.share import Share

FINISHED = 'echo \'{"status": "finished", "score": 1.0}\' > results.json'


def job(folder: Path, script: str) -> Job:
    return Job(["sh", "-c", f"cd {folder} && {script}"], folder, folder.name)


def jobs(root: Path, *scripts: str) -> list[Job]:
    return [job(root / str(number), script) for number, script in enumerate(scripts)]


def pool(places: int = 1, **more) -> Pool:
    return Pool([Share()] * places, dict(os.environ), **more)


def pids(root: Path, count: int) -> list[int]:
    """Of the jobs that wrote theirs down, once all did."""
    deadline = time.monotonic() + 30
    while len(found := [file for file in root.glob("*/pid") if file.read_text().strip()]) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return [int(file.read_text()) for file in found]


def test_a_job_is_drawn_when_a_place_is_free(tmp_path):
    drawn: list[str] = []

    def source() -> Iterator[Job]:
        for made in jobs(tmp_path, FINISHED, FINISHED, FINISHED):
            drawn.append(made.name)
            yield made

    seen = [(ended.name, list(drawn)) for ended in pool().run(source())]
    assert seen == [("0", ["0"]), ("1", ["0", "1"]), ("2", ["0", "1", "2"])]


def test_jobs_run_at_the_same_time(tmp_path):
    scripts = [f"touch ../here{n}; while [ ! -e ../here{1 - n} ]; do sleep 0.02; done; {FINISHED}" for n in (0, 1)]
    ended = list(pool(2).run(iter(jobs(tmp_path, *scripts))))
    assert [(one.trouble, one.score) for one in ended] == [(None, 1.0)] * 2


def test_a_job_keeps_to_its_share(tmp_path):
    core = min(os.sched_getaffinity(0))
    tell = "import os, json; print(json.dumps([sorted(os.sched_getaffinity(0)), os.environ['OMP_NUM_THREADS']]))"
    made = Job([sys.executable, "-c", tell], tmp_path / "a")
    list(Pool([Share((core,), 1)], dict(os.environ)).run(iter([made])))
    assert json.loads(made.log.read_text()) == [[core], "1"]


def test_who_looks_sees_what_runs(tmp_path):
    seen: list[list[str]] = []
    watch = lambda running: seen.append([one.name for one in running])  # noqa: E731
    list(pool(2, watch=watch).run(iter(jobs(tmp_path, FINISHED, FINISHED))))
    assert (seen[0], seen[1], seen[-1]) == (["0"], ["0", "1"], [])


@pytest.mark.parametrize(
    ("number", "sent"), [(signal.SIGTERM, "TERM"), (signal.SIGHUP, "TERM"), (signal.SIGINT, "INT")]
)
def test_a_signal_reaches_all_and_nothing_else_begins(tmp_path, number, sent):
    stops = f"trap 'echo got {sent}; exit 0' {sent}; echo $$ > pid; while :; do sleep 0.05; done"
    made = jobs(tmp_path, stops, stops, FINISHED)
    running = pool(2)
    threading.Thread(target=lambda: (pids(tmp_path, 2), os.kill(os.getpid(), number))).start()
    ended = list(running.run(iter(made)))
    assert {one.name for one in ended} == {"0", "1"}
    assert all(f"got {sent}" in one.log.read_text() for one in ended)
    assert running.signals == [number]


def test_a_place_that_becomes_free_after_a_signal_stays_free(tmp_path):
    seen = []
    for ended in pool().run(iter(jobs(tmp_path, FINISHED, FINISHED))):
        seen.append(ended.name)
        os.kill(os.getpid(), signal.SIGTERM)
    assert seen == ["0"]


def test_a_second_signal_kills(tmp_path):
    made = jobs(tmp_path, "trap '' TERM; trap 'touch got' INT; echo $$ > pid; while :; do sleep 0.05; done")

    def twice() -> None:
        pids(tmp_path, 1)
        os.kill(os.getpid(), signal.SIGINT)
        while not (tmp_path / "0/got").exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=twice).start()
    (ended,) = pool().run(iter(made))
    assert ended.trouble is not None
    assert ended.trouble.startswith("killed by SIGKILL")


def test_nothing_is_left_running_when_nobody_waits_for_it(tmp_path):
    made = jobs(tmp_path, FINISHED, "echo $$ > pid; exec sleep 60")
    ending = pool(2).run(iter(made))
    next(ending)
    (number,) = pids(tmp_path, 1)
    ending.close()
    assert not psutil.pid_exists(number)


def test_memory_decides_how_many(tmp_path, monkeypatch):
    monkeypatch.setattr("src.run.sweep.machine.free_memory", lambda: 5 * 2**30)
    most = 0

    def watch(running: list[Job]) -> None:
        nonlocal most
        most = max(most, len(running))

    list(pool(4, room=Room(), watch=watch).run(iter(jobs(tmp_path, *["sleep 0.5; " + FINISHED] * 4))))
    assert most == 2


def test_room_learns_from_what_ended_well(tmp_path, monkeypatch):
    monkeypatch.setattr("src.run.sweep.machine.free_memory", lambda: 2**30)
    room, beside, done = Room(), job(tmp_path, ""), job(tmp_path, "")
    assert room.for_another([])
    assert not room.for_another([beside])
    done.peak, done.trouble = 100 * 2**20, "it was killed"
    room.learn(done)
    assert not room.for_another([beside])
    done.trouble = None
    room.learn(done)
    assert room.for_another([beside] * 7)
    assert not room.for_another([beside] * 8)


def test_the_memory_of_a_job_is_that_of_all_its_processes(tmp_path):
    hold = "import subprocess, sys, time; b = bytearray(60 * 2**20); time.sleep(float(sys.argv[1]))"
    both = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {hold!r}, '3']); p.wait()"
    made = Job([sys.executable, "-c", both], tmp_path / "a")
    list(pool().run(iter([made])))
    assert 60 * 2**20 < made.peak < 200 * 2**20
