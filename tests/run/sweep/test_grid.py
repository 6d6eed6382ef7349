import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[3]

APP = """
import json, os, signal, sys, time
from pathlib import Path
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf
from src.run import cli, plugins, resume
from src.run.build import plain

plugins.CONF = Path(__file__).with_name("conf")

def job(config):
    folder = Path(HydraConfig.get().runtime.output_dir)
    (folder / "seen.json").write_text(json.dumps({
        **OmegaConf.to_container(config), "cwd": os.getcwd(), "environment": dict(os.environ), "argv": sys.argv[1:],
    }))
    print("hello from", config.kind)
    if config.kind == "broken":
        raise ValueError(f"{config.kind} is broken")
    if config.kind == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if config.kind == "silent":
        return
    facts = {"score": config.seed + 0.5, "identity": resume.identity(plain(config))}
    runs = folder / "runs"
    runs.write_text(f"{runs.read_text() if runs.exists() else ''} {config.resume}")
    if config.kind == "healing" and len(runs.read_text().split()) == 1:
        (folder / "checkpoints").mkdir()
        (folder / "checkpoints" / "last.ckpt").touch()
        (folder / "results.json").write_text(json.dumps({**facts, "status": "running"}))
        os.kill(os.getpid(), signal.SIGKILL)
    status = "finished"
    try:
        if config.kind in ("slow", "stubborn"):
            draft = folder / "draft"
            draft.write_text(str(os.getpid()))
            draft.rename(folder / "started")
            time.sleep(60)
    except KeyboardInterrupt:
        if config.kind == "stubborn":
            (folder / "refused").touch()
            time.sleep(60)
        status = "interrupted"
    (folder / "results.json").write_text(json.dumps({**facts, "status": status}))

if __name__ == "__main__":
    cli.main("app", job)
"""

CONFIG = """
defaults: [host: here, sweep: default, _self_, override hydra/sweeper: chosen, override hydra/job_logging: none]
data: {root: null, workers: 0}
trainer: {accelerator: cpu, devices: auto, strategy: auto}
kind: good
resume: null
seed: 0
note: null
extra: null
list: []
hydra: {sweep: {dir: sweep, subdir: "${hydra.job.num}_${hydra.job.override_dirname}"}}
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A command like `src.train` in a folder of its own, without torch: it writes what it saw, and its results."""
    (tmp_path / "app.py").write_text(APP)
    files = {"app.yaml": CONFIG}
    files |= {f"host/{name}.yaml": f"_target_: types.SimpleNamespace\nname: {name}" for name in ("here", "there")}
    files |= {
        f"{name}.yaml": (ROOT / f"conf/{name}.yaml").read_text() for name in ("hydra/sweeper/chosen", "sweep/default")
    }
    for name, text in files.items():
        file = tmp_path / "conf" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def start(app: Path, *arguments: str, **environment: str) -> subprocess.Popen:
    """The sweep as a process."""
    kept = {key: value for key, value in os.environ.items() if key not in ("HYDRA_FULL_ERROR", "DENSE_GROUP")}
    return subprocess.Popen(
        [sys.executable, "-m", "app", "-m", *arguments],
        cwd=app,
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sweep(app: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a sweep that ends by itself."""
    process = start(app, *arguments, **environment)
    out, err = process.communicate(timeout=100)
    return process.returncode, out, err


def seen(folder: Path) -> dict:
    return json.loads((folder / "seen.json").read_text())


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline, f"{file} never came"
        time.sleep(0.05)


def test_every_combination_is_a_run_of_its_own(app: Path) -> None:
    ranks = {"LOCAL_RANK": "1", "RANK": "1", "WORLD_SIZE": "2", "NODE_RANK": "0", "MASTER_ADDR": "x"}
    ranks |= {"MASTER_PORT": "1", "PL_GLOBAL_SEED": "7", "TORCHELASTIC_RUN_ID": "x", "WANDB_RUN_ID": "x"}
    code, out, err = sweep(app, "seed=0,1", "host=here,there", "note=same", **ranks, MINE="kept")
    assert (code, err) == (0, "")
    names = ["0_seed-0_host-here", "1_seed-0_host-there", "2_seed-1_host-here", "3_seed-1_host-there"]
    assert sorted(path.name for path in (app / "sweep").iterdir() if path.is_dir()) == names
    for index, name in enumerate(names):
        job = seen(app / "sweep" / name)
        assert (job["cwd"], job["note"], job["host"]["name"]) == (str(app), "same", ("here", "there")[index % 2])
        assert not job["environment"].keys() & ranks.keys()
        assert job["environment"]["MINE"] == "kept"
        assert job["environment"]["DENSE_GROUP"] == "sweep"
        assert "hello" in (app / "sweep" / name / "log.txt").read_text()
    lines = out.splitlines()
    assert lines[0] == "4 jobs in sweep, all with note=same"
    assert "[3/4] seed=1 host=here begins" in lines
    assert "\n[3/4] seed=1 host=here: score 1.5000, " in out
    assert "4 of 4 finished; best 1.5000 [3/4] seed=1 host=here\n" in out
    assert "hello" not in out
    assert lines[-1] == "report: python -m src.report runs=sweep output=sweep/report"


def test_a_failed_job_is_named_and_the_others_go_on(app: Path) -> None:
    code, out, err = sweep(app, "kind=broken,killed,silent,good")
    assert code == 1
    assert (app / "sweep/3_kind-good/results.json").is_file()
    assert "1 of 4 jobs finished, these did not:" in out
    named = out.partition("these did not:")[2].partition("best:")[0]
    log = "sweep/0_kind-broken/log.txt"
    assert f"  [1/4] kind=broken\n    exit code 1: error: broken is broken\n    {log}\n" in named
    assert "  [2/4] kind=killed\n    killed by SIGKILL (by hand, or the system ran out of memory): hello" in named
    assert "  [3/4] kind=silent\n    ended well, but wrote no results.json\n" in named
    assert "kind=good" not in named
    assert err.splitlines()[-1] == "error: 3 of 4 jobs failed: they are listed above"
    assert "Traceback" not in err


def test_results_of_an_earlier_run_are_not_this_job_s(app: Path) -> None:
    old = app / "sweep/0_kind-silent/results.json"
    old.parent.mkdir(parents=True)
    old.write_text('{"score": 1.0, "status": "finished"}')
    os.utime(old, (0, 0))
    code, out, _ = sweep(app, "kind=silent")
    assert code == 1
    assert "wrote no results.json" in out


def test_overrides_arrive_as_they_were_written(app: Path) -> None:
    note = "note='a b, c=1 \"d\" $HOME {e}'"
    folder = "hydra.sweep.dir='sweeps, of [me]'"
    code, out, err = sweep(app, note, "list=[1,2],[3]", "extra={x:1,y:[a,'b c']}", folder, "hydra.job.name=mine")
    assert (code, err) == (0, "")
    jobs = [seen(app / "sweeps, of [me]" / name) for name in ("0_list-1-2", "1_list-3")]
    assert [job["list"] for job in jobs] == [[1, 2], [3]]
    for job in jobs:
        assert job["note"] == 'a b, c=1 "d" $HOME {e}'
        assert job["extra"] == {"x": 1, "y": ["a", "b c"]}
        assert "hydra.job.name=mine" in job["argv"]
    assert "runs='sweeps, of [me]'" in out


def test_the_user_s_own_full_error_reaches_the_jobs(app: Path) -> None:
    code, out, err = sweep(app, "kind=broken", HYDRA_FULL_ERROR="1")
    assert code == 1
    assert "Traceback" in (app / "sweep/0_kind-broken/log.txt").read_text()
    assert "exit code 1: ValueError: broken is broken" in out
    assert "Traceback" in err


def test_verbose_shows_what_the_jobs_print(app: Path) -> None:
    code, out, _ = sweep(app, "seed=3,4", "sweep.verbose=true")
    assert code == 0
    assert out.count("hello from good") == 2
    assert "score 4.5000" in out


def test_ctrl_c_ends_all_running_jobs_and_the_sweep(app: Path) -> None:
    process = start(app, "kind=good,slow", "seed=0,1", "sweep.jobs=2")
    slow = [app / "sweep" / name for name in ("2_kind-slow_seed-0", "3_kind-slow_seed-1")]
    for folder in slow:
        wait_for(folder / "started")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert [json.loads((folder / "results.json").read_text())["status"] for folder in slow] == ["interrupted"] * 2
    assert "2 of 4 jobs finished, these did not:" in out
    assert "[3/4] kind=slow seed=0\n    interrupted" in out


def test_a_second_ctrl_c_kills_the_job(app: Path) -> None:
    process = start(app, "kind=stubborn,good", "sweep.jobs=1")
    wait_for(app / "sweep/0_kind-stubborn/started")
    process.send_signal(signal.SIGINT)
    wait_for(app / "sweep/0_kind-stubborn/refused")
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "killed by SIGKILL" in out
    assert not (app / "sweep/1_kind-good").exists()


def test_sigterm_reaches_the_job(app: Path) -> None:
    process = start(app, "kind=slow,good", "sweep.jobs=1")
    wait_for(app / "sweep/0_kind-slow/started")
    process.terminate()
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 143
    assert "killed by SIGTERM" in out
    assert "[2/2] kind=good\n    not started" in out


def test_the_same_command_does_what_is_left(app: Path) -> None:
    kinds = "kind=good,healing,broken,silent,killed"
    code, out, _ = sweep(app, kinds)
    assert code == 1
    assert "1 of 5 jobs finished, these did not:" in out
    code, out, _ = sweep(app, kinds)
    assert code == 1
    assert "going on in sweep: 1 of 5 are finished, 1 were cut (sweep.resume=false begins anew)" in out
    assert "2 of 5 jobs finished, these did not:" in out
    assert "kind=good begins" not in out
    runs = {kind: app / "sweep" / name / "runs" for kind, name in (("good", "0_kind-good"), ("cut", "1_kind-healing"))}
    assert {kind: file.read_text().split() for kind, file in runs.items()} == {
        "good": ["None"],
        "cut": ["None", "auto"],
    }
    plan = json.loads((app / "sweep/sweep.json").read_text())
    assert [row["state"] for row in plan["jobs"]] == ["finished", "finished", "failed", "failed", "failed"]
    assert plan["jobs"][2]["trouble"] == "exit code 1: error: broken is broken"


def test_a_killed_sweep_leaves_nothing_running_and_goes_on(app: Path) -> None:
    process = start(app, "kind=slow", "seed=0,1", "sweep.jobs=2")
    started = [app / f"sweep/{number}_seed-{number}/started" for number in (0, 1)]
    for file in started:
        wait_for(file)
    second = sweep(app, "kind=slow", "seed=0,1")
    assert second[0] == 1
    assert "is running here. Wait for it, end it, or choose another hydra.sweep.dir" in second[2]
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 20
    while any(psutil.pid_exists(int(file.read_text())) for file in started):
        assert time.monotonic() < deadline, "jobs outlived their sweep"
        time.sleep(0.1)


def test_what_cannot_work_is_refused_before_anything_starts(app: Path) -> None:
    code, out, err = sweep(app, "host=here,nowhere", "seed=0,x")
    assert code == 1
    assert out == ""
    assert "error: 3 of 4 combinations cannot work:\n  seed='x': expected int, not str\n    [2/4] host=here" in err
    assert "  host=nowhere: no such choice" in err
    assert "    [3/4] host=nowhere seed=0\n    [4/4] host=nowhere seed=x\nNothing was started." in err
    assert not (app / "sweep").exists()


def test_what_cannot_work_is_left_out_on_request(app: Path) -> None:
    code, out, err = sweep(app, "seed=0,x", "sweep.invalid=skip")
    assert (code, err) == (0, "")
    assert out.startswith("1 of 2 combinations cannot work and are left out:\n  seed='x': expected int")
    assert "1 of 1 jobs finished (1 more cannot work and were left out)" in out
    assert json.loads((app / "sweep/sweep.json").read_text())["left_out"][0]["overrides"] == ["seed=x"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sweep.jobs=0"], "sweep.jobs=0: expected auto, or how many at the same time (1 or more)"),
        (["sweep.jobs=1,2"], "sweep.jobs=1,2: is said of the sweep as a whole; give it one value"),
        (["note=interval(0,3)"], "note=interval(0,3): a grid needs a list of values, such as 1,2,4 or range(0,3)"),
        (["sweep.resum=false"], "did you mean 'sweep.resume'?"),
        (["hydra.sweep.dir=/proc/none"], "/proc/none: cannot be written to (No such file or directory); choose"),
    ],
)
def test_a_mistake_about_the_sweep_is_one_line(app: Path, words: list[str], said: str) -> None:
    code, out, err = sweep(app, "seed=0,1", *words)
    assert (code, out) == (1, "")
    assert said in err
    assert "Traceback" not in err


def test_the_end_is_told_and_the_address_kept_secret(app: Path, receiver) -> None:
    code, out, err = sweep(app, "kind=good,broken", DENSE_WEBHOOK=receiver.address)
    assert code == 1
    (told,) = receiver.told
    assert told["text"] == "Sweep sweep: 1 of 2 jobs finished, 1 failed, best 0.5000 (kind=good)"
    assert told["folder"] == str(app / "sweep")
    assert told["failures"][0]["error"] == "exit code 1: error: broken is broken"
    written = "".join(file.read_text(errors="replace") for file in app.rglob("*") if file.is_file())
    assert "DENSE_GROUP" in written
    assert "secret-path" not in written + out + err
    sweep(app, "kind=good,broken", "sweep.webhook=false", DENSE_WEBHOOK=receiver.address)
    assert len(receiver.told) == 1
