import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="pip install -e .[cluster]")

ROOT = Path(__file__).resolve().parents[3]
LOCAL = "hydra/launcher=submitit_local"

APP = """
import json, os, signal, sys, time
from pathlib import Path
from hydra.core.hydra_config import HydraConfig
from src.run import cli, plugins, resume
from src.run.build import plain

plugins.CONF = Path(__file__).with_name("conf")
facts = {}

def job(config):
    folder = Path(HydraConfig.get().runtime.output_dir)
    (folder / "seen.json").write_text(json.dumps({"environment": dict(os.environ), "argv": sys.argv[1:]}))
    if config.kind == "broken":
        raise ValueError("this one is broken")
    if config.kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    facts.update(score=config.seed + 0.5, identity=resume.identity(plain(config)))
    if config.kind == "slow" and config.resume is None:
        signal.signal(signal.SIGTERM, lambda *_: end(folder, "interrupted", 143))
        (folder / "started").touch()
        time.sleep(60)
    end(folder, "finished", 0)

def end(folder, status, code):
    (folder / "results.json").write_text(json.dumps({**facts, "status": status}))
    sys.exit(code)

if __name__ == "__main__":
    cli.main("app", job)
"""

CONFIG = """
defaults: [sweep: default, _self_, override hydra/sweeper: chosen, override hydra/job_logging: none]
data: {root: null, workers: 0}
trainer: {accelerator: cpu, devices: auto, strategy: auto}
kind: good
resume: null
seed: 0
hydra: {sweep: {dir: sweep, subdir: "${hydra.job.num}_${hydra.job.override_dirname}"}}
"""


# What submitit needs of Slurm: an array's tasks as processes, each started again where scontrol asked for it.
SBATCH = """#!{python}
import os, re, subprocess, sys
script = sys.argv[-1]
print("Submitted batch job 100", flush=True)
for task in range(int(re.search(r"--array=0-([0-9]+)", open(script).read())[1]) + 1):
    if os.fork():
        continue
    for number in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), number)
    job = dict(SLURM_JOB_ID=str(101 + task), SLURM_ARRAY_JOB_ID="100", SLURM_ARRAY_TASK_ID=str(task), SLURM_PROCID="0")
    again, asked = True, f"asked-100_{{task}}"
    while again:
        subprocess.run(["bash", script], env={{**os.environ, **job}})
        again = os.path.exists(asked) and "SLURM_RESTART_COUNT" not in job
        job["SLURM_RESTART_COUNT"] = "1"
    sys.exit()
"""
SLURM = {
    "sbatch": SBATCH.format(python=sys.executable),
    "srun": '#!/bin/sh\nshift 5; exec "$@"\n',  # --unbuffered --output FILE --error FILE
    "scontrol": '#!/bin/sh\necho "$@" >> "asked-$2"\n',
    "sacct": "#!/bin/sh\n",
    "scancel": "#!/bin/sh\n",
}


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its programs, first in the search path."""
    for name, text in SLURM.items():
        file = tmp_path / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A command like `src.train` in a folder of its own, without torch."""
    (tmp_path / "app.py").write_text(APP)
    names = ("hydra/sweeper/chosen", "sweep/default", "hydra/launcher/submitit_local", "hydra/launcher/submitit_slurm")
    files = {"app": CONFIG} | {name: (ROOT / f"conf/{name}.yaml").read_text() for name in names}
    for name, text in files.items():
        file = tmp_path / "conf" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def start(app: Path, *arguments: str) -> subprocess.Popen:
    """The sweep as a process."""
    return subprocess.Popen(
        [sys.executable, "-m", "app", "-m", *arguments],
        cwd=app,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HYDRA_FULL_ERROR": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sweep(app: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a sweep that ends by itself."""
    process = start(app, *arguments)
    out, err = process.communicate(timeout=100)
    return process.returncode, out, err


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} never came"
        time.sleep(0.05)


def submitit_process(app: Path) -> psutil.Process:
    """The process in which submitit hears signals: that of the slow job."""
    own = f"hydra.run.dir='{app}/sweep/0_kind-slow'"
    (job,) = (process for process in psutil.process_iter(["cmdline"]) if own in (process.info["cmdline"] or []))
    return job.parent()


def test_jobs_are_plain_runs_and_a_dead_one_does_not_lose_the_others(app: Path) -> None:
    code, out, err = sweep(app, LOCAL, "kind=broken,killed,good", "hydra.job.name=mine")
    assert code == 1
    assert err.splitlines()[-1] == "error: 2 of 3 jobs failed: they are listed above"
    assert "1 of 3 jobs finished, these did not:" in out
    assert ": error: this one is broken\n" in out
    log = (app / "sweep/0_kind-broken/log.txt").read_text()
    assert log == "error: this one is broken\n"
    seen = json.loads((app / "sweep/2_kind-good/seen.json").read_text())
    assert "hydra.mode=RUN" in seen["argv"]
    assert "hydra.job.name=mine" in seen["argv"]
    assert not any("launcher" in word for word in seen["argv"])
    assert seen["environment"]["DENSE_GROUP"] == "sweep"
    plan = json.loads((app / "sweep/sweep.json").read_text())
    assert [row["state"] for row in plan["jobs"]] == ["failed", "failed", "finished"]
    code, out, _ = sweep(app, LOCAL, "kind=broken,killed,good")
    assert "1 of 3 are finished" in out
    assert "2 jobs submitted (local" in out


def test_before_its_time_is_over_a_job_saves_and_is_requeued_once(app: Path) -> None:
    process = start(app, LOCAL, "kind=slow")
    folder = app / "sweep/0_kind-slow"
    wait_for(folder / "started")
    submitit_process(app).send_signal(signal.SIGUSR2)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    argv = json.loads((folder / "seen.json").read_text())["argv"]
    assert argv.count("resume=auto") == 1
    assert json.loads((folder / "results.json").read_text())["status"] == "finished"
    assert "1 of 1 jobs finished" in out


def test_a_job_of_slurm_is_requeued_once_before_its_time_is_over(app: Path, slurm: None) -> None:
    process = start(app, "hydra/launcher=submitit_slurm", "kind=slow,good", "hydra.launcher.partition=gpu")
    folder = app / "sweep/0_kind-slow"
    wait_for(folder / "started")
    submitit_process(app).send_signal(signal.SIGUSR2)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "2 of 2 jobs finished" in out
    assert (app / "asked-100_0").read_text() == "requeue 100_0\n"
    seen = json.loads((folder / "seen.json").read_text())
    assert seen["argv"].count("resume=auto") == 1
    assert seen["environment"]["SLURM_RESTART_COUNT"] == "1"
    (script,) = (app / "sweep/.submitit").glob(".submission_file_*.sh")
    asked = script.read_text().splitlines()
    for option in ("partition=gpu", "requeue", "signal=USR2@120", "time=1440", "array=0-1%2", "job-name=app"):
        assert f"#SBATCH --{option}" in asked


def test_ctrl_c_cancels_the_jobs(app: Path) -> None:
    process = start(app, LOCAL, "kind=slow")
    folder = app / "sweep/0_kind-slow"
    wait_for(folder / "started")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0
    wait_for(folder / "results.json")
    assert json.loads((folder / "results.json").read_text())["status"] == "interrupted"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["hydra/launcher=submitit_slurm"], "there is no srun on this machine"),
        ([LOCAL, "+hydra.launcher.timeout_mins=5"], "no such option; did you mean 'timeout_min'?"),
        ([LOCAL, "hydra.launcher.timeout_min=soon"], "hydra.launcher.timeout_min=soon: expected int"),
    ],
)
def test_a_mistake_about_the_launcher_is_one_line(app: Path, words: list[str], said: str) -> None:
    code, out, err = sweep(app, "seed=0", *words)
    assert (code, out) == (1, "")
    assert said in err
    assert "Traceback" not in err
    assert not (app / "sweep").exists()
