"""A real sweep to whom all of it happens: its process is killed twice, and one of its jobs once."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from src.run.plugins import ROOT

TINY = [
    *("data.resolution=[32,48]", "data.lengths={train:8,val:4,test:2}", "data.batch_size=4", "logger=none"),
    *("trainer.max_epochs=3", "trainer.accelerator=cpu", "trainer.precision=32-true", "hydra.sweep.dir=sweep"),
    *("callback.pictures.every_n_epochs=99", "data.cache_folder=cache"),
]
AXES = ["model=unet,fcn8s_small", "loss=cross_entropy,dice", "seed=0,1,2,3,4,5"]
JOBS = 24


def start(root: Path, name: str) -> subprocess.Popen:
    with (root / name).open("w") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "src.train", "-m", *TINY, *AXES],
            cwd=root,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def rows(root: Path) -> list[dict]:
    file = root / "sweep" / "sweep.json"
    return json.loads(file.read_text())["jobs"] if file.exists() else []


def finished(root: Path) -> dict[str, bytes]:
    """The record of every run that is done, with its time."""
    files = [root / "sweep" / row["folder"] / "results.json" for row in rows(root) if row["state"] == "finished"]
    return {str(file): f"{file.stat().st_mtime_ns}".encode() + file.read_bytes() for file in files}


def wait(process: subprocess.Popen, what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 600
    while not what():
        assert process.poll() is None, "the sweep ended too early"
        assert time.monotonic() < deadline
        time.sleep(0.1)


def training(root: Path) -> Path | None:
    """The folder of a job that is in the midst of it, with a checkpoint."""
    for row in rows(root):
        folder = root / "sweep" / row["folder"]
        if row["state"] == "running" and (folder / ".lock").exists() and any(folder.glob("checkpoints/[!.]*.ckpt")):
            return folder
    return None


@pytest.mark.long
def test_a_sweep_of_24_jobs_ends_whatever_happens_to_it(tmp_path):
    kept: dict[str, bytes] = {}
    for number, least in enumerate((3, 9)):
        process = start(tmp_path, f"{number}.txt")
        wait(process, lambda: len(finished(tmp_path)) >= least and training(tmp_path))  # noqa: B023
        process.kill()
        process.wait()
        assert kept.items() <= finished(tmp_path).items()
        kept = finished(tmp_path)
    process = start(tmp_path, "2.txt")
    wait(process, lambda: len(finished(tmp_path)) >= 15 and training(tmp_path))
    victim = training(tmp_path)
    os.kill(int((victim / ".lock").read_text().split()[1]), signal.SIGKILL)
    assert process.wait(1800) == 1
    out = (tmp_path / "2.txt").read_text()
    assert "going on in sweep: " in out
    assert f"{JOBS - 1} of {JOBS} jobs finished, these did not:" in out
    assert "killed by SIGKILL" in out
    assert kept.items() <= finished(tmp_path).items()
    kept = finished(tmp_path)
    assert len(kept) == JOBS - 1

    report = [sys.executable, "-m", "src.report", "runs=sweep", "output=report"]
    subprocess.run(report, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
    with (tmp_path / "report" / "runs.csv").open(newline="") as table:
        troubles = [row["trouble"] for row in csv.DictReader(table)]
    assert (len(troubles), troubles.count("")) == (JOBS, JOBS - 1)

    assert start(tmp_path, "3.txt").wait(600) == 0
    out = (tmp_path / "3.txt").read_text()
    assert out.count(" begins\n") == 1
    assert f"{JOBS} of {JOBS} jobs finished" in out
    assert "resume: going on from" in (victim / "log.txt").read_text()
    assert kept.items() <= finished(tmp_path).items()
    assert len(finished(tmp_path)) == JOBS
    assert not [one for one in psutil.process_iter(["cwd"]) if one.info["cwd"] == str(tmp_path)]
