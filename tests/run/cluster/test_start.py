import sys

import pytest
from omegaconf import OmegaConf
from torch.distributed import TCPStore

from src.run import plugins, resume
from src.run.cluster import start
from src.run.rank import first

OURS = ("SLURM_JOB_ID", "SLURM_JOB_NAME", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_RESTART_COUNT")
OURS += ("TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT", "WORLD_SIZE", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID")
OURS += ("NODE_RANK", "LOCAL_RANK", "RANK", "SLURM_NTASKS")


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """No launcher, and a command line of one's own."""
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "argv", ["train", "model=unet", "seed=1"])


def said(monkeypatch, **environment):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def test_a_run_by_hand_is_named_by_the_time(monkeypatch):
    monkeypatch.setattr(start.time, "strftime", lambda form: form)
    assert start.name() == "%Y-%m-%d/%H-%M-%S"


def test_a_job_of_slurm_has_one_name_in_all_its_processes_and_starts(monkeypatch):
    said(monkeypatch, SLURM_JOB_ID="12", SLURM_PROCID="0")
    name = start.name()
    assert name.startswith("slurm/12_")
    said(monkeypatch, SLURM_PROCID="3", SLURM_RESTART_COUNT="1")
    assert start.name() == name
    monkeypatch.setattr(sys, "argv", ["train", "model=unet", "seed=2"])
    assert start.name() != name


def test_jobs_of_an_array_have_a_name_each(monkeypatch):
    said(monkeypatch, SLURM_JOB_ID="15", SLURM_ARRAY_JOB_ID="12", SLURM_ARRAY_TASK_ID="3")
    assert start.name().startswith("slurm/12_3_")
    assert start.slurm_job() == "12_3"


@pytest.mark.parametrize("name", ["bash", "interactive"])
def test_what_is_started_by_hand_inside_of_a_job_is_no_job(monkeypatch, name):
    said(monkeypatch, SLURM_JOB_ID="12", SLURM_JOB_NAME=name)
    assert start.slurm_job() is None
    assert not start.name().startswith("slurm/")


def test_a_run_of_torchrun_is_named_by_its_id(monkeypatch):
    said(monkeypatch, TORCHELASTIC_RUN_ID="my run/../7")
    assert start.name().startswith("torchrun/my-run-..-7_")


def test_processes_of_torchrun_without_an_id_agree_on_a_time(monkeypatch):
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    said(monkeypatch, TORCHELASTIC_RUN_ID="none", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(store.port))
    times = iter(["the first's", "the second's"])
    monkeypatch.setattr(start.time, "strftime", lambda form: next(times))
    assert [start.name(), start.name()] == ["the first's", "the first's"]


def test_the_run_folder_has_the_name(monkeypatch):
    said(monkeypatch, SLURM_JOB_ID="12")
    plugins.register()
    whole = OmegaConf.to_container(OmegaConf.load(plugins.CONF / "train.yaml"), resolve=False)["hydra"]["run"]["dir"]
    part = OmegaConf.create({"dir": whole.partition("_${hydra")[0]})
    assert part.dir == f"runs/{start.name()}"


def test_a_requeued_job_goes_on_from_its_own_checkpoint_whatever_it_began_with(monkeypatch, tmp_path):
    (tmp_path / "other.ckpt").touch()
    own = tmp_path / "run" / "checkpoints" / "last.ckpt"
    assert resume.named(None, tmp_path / "run") == []
    said(monkeypatch, SLURM_RESTART_COUNT="1")
    assert resume.named(None, tmp_path / "run") == []
    own.parent.mkdir(parents=True)
    own.touch()
    assert resume.named(None, tmp_path / "run") == [own]
    assert resume.named(str(tmp_path / "other.ckpt"), tmp_path / "run") == [own]
    said(monkeypatch, SLURM_RESTART_COUNT="0", TORCHELASTIC_RESTART_COUNT="1")
    assert resume.named(None, tmp_path / "run") == [own]
    said(monkeypatch, TORCHELASTIC_RESTART_COUNT="0")
    assert resume.named(None, tmp_path / "run") == []


def test_of_unfinished_runs_that_of_the_own_job_comes_first(monkeypatch, tmp_path):
    for folder, age in (("slurm/12_a", 100), ("slurm/13_a", 300), ("2026-01-01/x", 200)):
        file = tmp_path / folder / "results.json"
        file.parent.mkdir(parents=True)
        file.write_text('{"identity": "i", "status": "running"}')
        start.os.utime(file, (age, age))
    assert resume._unfinished(tmp_path, "i") == tmp_path / "slurm/13_a"
    said(monkeypatch, SLURM_JOB_ID="12")
    assert resume._unfinished(tmp_path, "i") == tmp_path / "slurm/12_a"


@pytest.mark.parametrize("name", ["RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID"])
def test_any_rank_but_0_is_not_the_first(monkeypatch, name):
    assert first()
    said(monkeypatch, **{name: "0"})
    assert first()
    said(monkeypatch, **{name: "1"})
    assert not first()


@pytest.mark.parametrize(
    ("environment", "words", "problem"),
    [
        ({"WORLD_SIZE": "2"}, ["-m", "seed=0,1"], "as many sweeps"),
        ({"SLURM_STEP_NUM_TASKS": "4"}, ["--multirun", "seed=0,1"], "-m in each of 4 processes"),
        ({"NODE_RANK": "0"}, ["seed=0"], "say hydra.run.dir=FOLDER"),
        ({}, ["hydra/launcher=submitit_slurm", "hydra.run.dir=x"], "say -m as well"),
    ],
)
def test_processes_that_would_not_find_one_another_are_refused(monkeypatch, environment, words, problem):
    if environment:
        start.refuse(words)
    said(monkeypatch, **environment)
    with pytest.raises(SystemExit, match=problem):
        start.refuse(words)
    start.refuse(["seed=0", "hydra.run.dir=x"])


def test_nodes_that_nobody_started_are_refused(monkeypatch):
    start.check(1)
    with pytest.raises(ValueError, match=r"trainer\.num_nodes=2: the nodes are started by torchrun or Slurm's srun"):
        start.check(2)
    said(monkeypatch, TORCHELASTIC_RUN_ID="none")
    start.check(2)
