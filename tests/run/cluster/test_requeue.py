"""A job of Slurm whose time is over goes on by itself (FAULTS A14); no Slurm is needed, only what it sets and sends."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from src.run import checkpoint
from src.run.cluster.requeue import requeued
from src.run.signals import REQUEUE

ROOT = Path(__file__).resolve().parents[3]
TINY = ["model=unet_groupnorm", "model.decoder.widths=[16,16,16,16,16]", "data.resolution=[32,48]", "logger=wandb"]
TINY += ["data.lengths={train:4,val:1,test:1}", "data.batch_size=2", "trainer.accelerator=cpu"]
TINY += ["trainer.precision=32-true", "scheduler=constant", "callback.pictures.every_n_epochs=99"]
SCONTROL = '#!/bin/sh\necho "$@" >> "$ASKED"\n'


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """The file in which the words stand that `scontrol` was called with."""
    for name in ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_JOB_NAME", "SUBMITIT_EXECUTOR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "scontrol").write_text(SCONTROL)
    (tmp_path / "bin" / "scontrol").chmod(0o755)
    monkeypatch.setenv("ASKED", str(tmp_path / "asked.txt"))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    return tmp_path / "asked.txt"


@pytest.mark.parametrize("number", REQUEUE)
def test_slurm_is_asked_once_when_its_own_signal_ended_a_job(asked, number, capsys):
    with pytest.raises(SystemExit), requeued():
        sys.exit(128 + number)
    assert asked.read_text() == "requeue 12\n"
    assert "job 12 is back in Slurm's queue" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("code", "environment"),
    [
        (128 + signal.SIGTERM, {}),  # pre-emption, after which Slurm requeues by itself, or scancel
        (1, {}),
        (128 + signal.SIGUSR1, {"SLURM_PROCID": "1"}),
        (128 + signal.SIGUSR2, {"SUBMITIT_EXECUTOR": "slurm"}),  # which asks by itself
        (128 + signal.SIGUSR1, {"SLURM_JOB_NAME": "interactive"}),
    ],
)
def test_slurm_is_not_asked(asked, monkeypatch, code, environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit), requeued():
        sys.exit(code)
    with requeued():
        pass
    assert not asked.exists()


def test_slurm_that_refuses_is_a_warning(asked, capsys):
    (asked.parent / "bin" / "scontrol").write_text("#!/bin/sh\necho slurm_update error: Access denied >&2; exit 1\n")
    with pytest.raises(SystemExit), requeued():
        sys.exit(128 + signal.SIGUSR1)
    said = "warning: Slurm did not requeue job 12 (slurm_update error: Access denied); submit it again with resume=auto"
    assert capsys.readouterr().err == f"{said}\n"


@pytest.mark.parametrize(("job", "heard"), [({}, False), ({"SLURM_JOB_ID": "12"}, True)])
def test_its_signals_are_heard_in_a_job_alone(job, heard):
    code = (
        "import signal; from src.run.signals import ENDING; print(signal.SIGUSR1 in ENDING, signal.SIGUSR2 in ENDING)"
    )
    kept = {key: value for key, value in os.environ.items() if key != "SLURM_JOB_ID"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**kept, **job}, capture_output=True, text=True)
    assert done.stdout == f"{heard} {heard}\n"


@pytest.fixture
def slurm(tmp_path, asked):
    """`slurm(job, *words, **environment)`: a training as Slurm starts it, in a folder that it shares with others."""
    started = []

    def start(job: int, *words: str, **environment: str) -> subprocess.Popen:
        said = {"SLURM_JOB_ID": str(job), "SLURM_JOB_NAME": "train", "SLURM_NTASKS": "1", "SLURM_PROCID": "0"}
        said |= {"SLURM_LOCALID": "0", "SLURM_NODEID": "0", "SLURM_NTASKS_PER_NODE": "1", "SLURM_NNODES": "1"}
        command = [sys.executable, "-m", "src.train", *TINY, f"data.cache_folder={tmp_path}/cache", *words]
        with (tmp_path / "log.txt").open("a") as log:
            process = subprocess.Popen(
                command,
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **said, **environment},
                stdout=log,
                stderr=log,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def begun(folder: Path, job: str) -> Path:
    """The job's run folder, once it has trained for an epoch."""
    deadline = time.monotonic() + 120
    while not (found := list(folder.glob(f"runs/slurm/{job}_*/metrics.csv"))):
        assert time.monotonic() < deadline, (folder / "log.txt").read_text()
        time.sleep(0.1)
    return found[0].parent


@pytest.mark.long
def test_before_its_time_is_over_a_job_saves_is_requeued_once_and_goes_on(slurm, tmp_path):
    array = {"SLURM_ARRAY_JOB_ID": "40", "SLURM_ARRAY_TASK_ID": "7"}
    command = ["trainer.max_epochs=12"]
    process = slurm(47, *command, **array)
    folder = begun(tmp_path, "40_7")
    process.send_signal(signal.SIGUSR1)
    assert process.wait(100) == 128 + signal.SIGUSR1
    assert (tmp_path / "asked.txt").read_text() == "requeue 40_7\n"
    assert json.loads((folder / "results.json").read_text())["status"] == "interrupted"
    assert checkpoint.load(folder / "checkpoints" / "last.ckpt")["epoch"] < 11
    assert "job 40_7 is back in Slurm's queue" in (tmp_path / "log.txt").read_text()

    assert slurm(47, *command, **array, SLURM_RESTART_COUNT="1").wait(200) == 0, (tmp_path / "log.txt").read_text()
    assert f"resume: going on from {folder}/checkpoints/last.ckpt" in (tmp_path / "log.txt").read_text()
    assert list(tmp_path.glob("runs/slurm/*")) == [folder]
    results = json.loads((folder / "results.json").read_text())
    assert (results["status"], results["epochs"]) == ("finished", 12)
    rows = (folder / "metrics.csv").read_text().splitlines()
    assert [row.partition(",")[0] for row in rows[1:]] == [str(epoch) for epoch in range(12)]
    runs = [path.name for path in (folder / "wandb").glob("offline-run-*")]
    assert len(runs) == 2  # each start writes files of its own, under one id: `wandb sync` makes one run of them
    assert len({name.rpartition("-")[2] for name in runs}) == 1
