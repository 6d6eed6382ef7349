"""FAULTS A1, A3, A11, A12, A16: killed, signalled, damaged, out of room. Real processes, as a user starts them."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
import torch

from src.run import checkpoint
from tests.faults.test_resume import TINY, difference

SLOW = ["trainer.log_every_n_steps=1", "trainer.max_epochs=1000"]  # a run that only a signal ends
TWO = ["trainer.strategy=ddp", "trainer.devices=2"]


@pytest.fixture
def start(tmp_path):
    """`start(*words)`: src.train in a process of its own, in the folder tmp/run; all of them are gone at the end."""
    started = []

    def begin(*words, folder="run", **options):
        command = [
            *(sys.executable, "-m", "src.train", *TINY, "data.resolution=[32,48]", "trainer.accelerator=cpu"),
            *("trainer.precision=32-true", "logger=none", "resume=auto", f"data.cache_folder={tmp_path}/cache"),
            *(*words, f"hydra.run.dir={tmp_path / folder}"),
        ]
        log = (tmp_path / f"{folder}.log").open("ab")
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **options)
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def epochs(folder):
    path = folder / "metrics.csv"
    return len(list(csv.DictReader(path.open()))) if path.exists() else 0


def wait(process, what, seconds=120):
    """Until `what()` is true; the process must live to see it."""
    end = time.monotonic() + seconds
    while not what():
        assert process.poll() is None, f"ended with {process.returncode}"
        assert time.monotonic() < end
        time.sleep(0.001)


def log(tmp_path, folder="run"):
    return (tmp_path / f"{folder}.log").read_text()


def saved_epochs(path):
    """How many epochs a checkpoint knows of; None for one that does not load."""
    try:
        saved = checkpoint.load(path)
    except ValueError:
        return None
    return len(next(state for name, state in saved["callbacks"].items() if "History" in name)["rows"])


def survived(start, tmp_path, kills, goal):
    """Kill a run `kills` times, half of them in the midst of a save; what was lost and broken."""
    folder, rng = tmp_path / "run", random.Random(0)
    words = [f"trainer.max_epochs={goal}", "callback=[default,ema]", "task.compile=false"]
    corrupt = lost = saving = done = 0
    while done < kills:
        process, before = start(*words), epochs(folder)
        wait(process, lambda now=before: epochs(folder) > now)
        if done % 2:
            wait(process, lambda: any((folder / "checkpoints").glob(".*")))
        else:
            time.sleep(rng.random())
        drafts = any((folder / "checkpoints").glob(".*.ckpt.*"))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        saving += drafts
        done += 1
        announced = list((folder / "checkpoints").glob("[!.]*.ckpt"))
        known = [saved_epochs(path) for path in announced]
        corrupt += known.count(None)
        lost += bool(announced) and epochs(folder) - max(count or 0 for count in known) > 1
    assert start(*words).wait(300) == 0, log(tmp_path)[-2000:]
    assert start(*words, folder="whole").wait(300) == 0
    contents = [checkpoint.load(tmp_path / name / "checkpoints" / "last.ckpt") for name in ("run", "whole")]
    assert difference(*contents) == []
    assert list(folder.rglob(".*.[0-9]*")) == []
    assert not (folder / ".lock").exists()
    return corrupt, lost, saving


def test_a_kill(start, tmp_path, tally):
    corrupt, lost, saving = survived(start, tmp_path, kills=1, goal=4)
    tally("SIGKILL", tried=1, failed=corrupt + lost, in_the_midst_of_a_save=saving)
    assert corrupt == lost == 0
    assert "did not end in order" in log(tmp_path)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_twenty_kills(start, tmp_path, tally):
    corrupt, lost, saving = survived(start, tmp_path, kills=20, goal=60)
    tally("SIGKILL", tried=20, failed=corrupt + lost, in_the_midst_of_a_save=saving)
    assert corrupt == lost == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_and_ends_within_ten_seconds(start, tmp_path, number, code):
    process = start(*SLOW)
    wait(process, lambda: epochs(tmp_path / "run") > 0)
    process.send_signal(number)
    began = time.monotonic()
    assert process.wait(60) == code, log(tmp_path)[-2000:]
    assert time.monotonic() - began < 10
    assert json.loads((tmp_path / "run" / "results.json").read_text())["status"] == "interrupted"
    checkpoint.load(tmp_path / "run" / "checkpoints" / "last.ckpt")
    assert f"stopped by {number.name}; the same command with resume=auto goes on" in log(tmp_path)


def test_further_interrupts_do_not_wait(start, tmp_path):
    process = start(*SLOW)
    wait(process, lambda: epochs(tmp_path / "run") > 0)
    end = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < end:  # up to its last breath
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    assert process.wait(1) == 130, log(tmp_path)[-2000:]
    for path in (tmp_path / "run" / "checkpoints").glob("[!.]*.ckpt"):
        checkpoint.load(path)


def test_a_signal_before_the_training_ends_it_at_once(start, tmp_path):
    process = start(*SLOW, "data.lengths={train:3000,val:5,test:2}", "data.resolution=[96,128]")
    wait(process, lambda: (tmp_path / "run" / "results.json").exists())
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 143
    assert json.loads((tmp_path / "run" / "results.json").read_text())["status"] == "interrupted"


def both_signalled(start, tmp_path, folder):
    """SIGTERM to both ranks at once; the seconds until the last is gone."""
    process = start(*SLOW, *TWO, folder=folder)
    wait(process, lambda: epochs(tmp_path / folder) > 0)
    os.killpg(process.pid, signal.SIGTERM)
    began = time.monotonic()
    assert process.wait(60) == 143, log(tmp_path, folder)[-3000:]
    while alive(process.pid):
        time.sleep(0.05)
        assert time.monotonic() - began < 30
    checkpoint.load(tmp_path / folder / "checkpoints" / "last.ckpt")
    assert json.loads((tmp_path / folder / "results.json").read_text())["status"] == "interrupted"
    return time.monotonic() - began


def alive(group):
    """Whether any process of the group lives; zombies do not."""
    found = subprocess.run(["ps", "-o", "stat=", "-g", str(group)], capture_output=True, text=True, check=False)
    return any(not state.startswith("Z") for state in found.stdout.split())


def test_two_processes_end_together(start, tmp_path):
    assert both_signalled(start, tmp_path, "run") < 30


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_two_processes_end_together_ten_times(start, tmp_path, tally):
    seconds = [both_signalled(start, tmp_path, f"run{index}") for index in range(10)]
    tally("SIGTERM to two ranks", tried=10, failed=sum(s >= 30 for s in seconds), slowest=f"{max(seconds):.1f} s")
    assert max(seconds) < 30


@pytest.mark.long
@pytest.mark.parametrize("rank", [0, 1])
def test_a_dead_rank_ends_the_other(start, tmp_path, rank):
    process = start(*SLOW, *TWO)
    wait(process, lambda: (tmp_path / "run" / "checkpoints" / "last.ckpt").exists())
    search = ["pgrep", "-P", str(process.pid), "-f", "src.train"]
    child = subprocess.run(search, capture_output=True, text=True, check=True).stdout.split()[0]
    os.kill(process.pid if rank == 0 else int(child), signal.SIGKILL)
    assert process.wait(30) != 0
    began = time.monotonic()
    while alive(process.pid):
        time.sleep(0.1)
        assert time.monotonic() - began < 30
    checkpoint.load(tmp_path / "run" / "checkpoints" / "last.ckpt")


@pytest.mark.parametrize(
    "damage", ["bit", *(pytest.param(kind, marks=pytest.mark.long) for kind in ("empty", "half", "garbage"))]
)
def test_a_damaged_last_checkpoint_is_named_and_the_newest_whole_one_taken(run, tmp_path, capsys, damage):
    run(*TINY, "trainer.max_epochs=2", "scheduler=constant")
    folder = tmp_path / "run" / "checkpoints"
    content = bytearray((folder / "last.ckpt").read_bytes())
    content[len(content) // 2] ^= 4
    made = {"empty": b"", "half": content[: len(content) // 2], "garbage": b"<html>" * 99, "bit": bytes(content)}
    (folder / "last.ckpt").write_bytes(made[damage])
    run(*TINY, "trainer.max_epochs=3", "scheduler=constant", "resume=auto")
    said = capsys.readouterr().out
    assert "warning: " in said
    assert "last.ckpt: " in said
    assert f"resume: going on from {folder / 'best.ckpt'}" in said
    assert epochs(tmp_path / "run") == 3


def test_no_whole_checkpoint_is_no_fresh_start(run, tmp_path):
    run(*TINY, "trainer.max_epochs=1")
    for path in (tmp_path / "run" / "checkpoints").glob("*.ckpt"):
        path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"no checkpoint can be used:(.|\n)*last\.ckpt(.|\n)*resume=null"):
        run(*TINY, "trainer.max_epochs=2", "resume=auto")


def test_a_full_disk_leaves_the_old_checkpoint(start, tmp_path):
    assert start("trainer.max_epochs=1", "scheduler=constant").wait(120) == 0, log(tmp_path)
    path = tmp_path / "run" / "checkpoints" / "last.ckpt"
    before = path.read_bytes()
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) // 2},) * 2)"
    code = f"{limit}; import sys; sys.argv[0] = 'train'; from src.train import main; main()"
    words = [*TINY, "data.resolution=[32,48]", "trainer.accelerator=cpu", "trainer.precision=32-true", "logger=none"]
    words += [f"data.cache_folder={tmp_path}/cache", "trainer.max_epochs=2", "scheduler=constant", "resume=auto"]
    command = [sys.executable, "-c", code, *words, f"hydra.run.dir={tmp_path}/run"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 1
    assert "checkpoint of" in done.stderr
    assert "bytes cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == before or torch.load(path, weights_only=True)["epoch"] == 0
    assert list(path.parent.glob(".*")) == []


def test_one_run_per_folder(start, tmp_path):
    process = start(*SLOW)
    wait(process, lambda: epochs(tmp_path / "run") > 0)
    second = start(*SLOW)
    assert second.wait(60) == 1
    assert f"process {process.pid}" in log(tmp_path)
    assert "is running here" in log(tmp_path)
    assert process.poll() is None
