import os
from pathlib import Path

import psutil
import pytest

from src.data import cores
from src.run.sweep import machine


@pytest.fixture
def group(tmp_path: Path, monkeypatch) -> Path:
    """The control group of this process, below one without limits."""
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    for module in (cores, machine):
        monkeypatch.setattr(module, "control_groups", lambda controller: iter((inner, inner.parent, tmp_path)))
    cores.usable_cores.cache_clear()
    yield inner
    cores.usable_cores.cache_clear()


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_without_limits_all_of_it_is_ours(group):
    write(group, cpu__max="max 100000\n", memory__max="max\n", memory__current="5\n")
    assert cores.usable_cores() == sorted(os.sched_getaffinity(0))
    assert machine.whole()
    assert machine.free_memory() == pytest.approx(psutil.virtual_memory().available, rel=0.2)


def test_a_quota_around_the_group_counts(group):
    write(group, cpu__max="max 100000\n")
    write(group.parent, cpu__max="50000 100000\n", memory__max="1000\n", memory__current="400\n")
    assert len(cores.usable_cores()) == 1
    assert not machine.whole()
    assert machine.free_memory() == 600


def test_version_one_says_the_same_in_other_files(group):
    write(group, cpu__cfs_quota_us="-1\n", cpu__cfs_period_us="100000\n")
    assert machine.whole()
    write(group, cpu__cfs_quota_us="100000\n", memory__limit_in_bytes="900\n", memory__usage_in_bytes="1000\n")
    assert not machine.whole()
    assert machine.free_memory() == 0


def test_no_driver_means_no_gpu(monkeypatch):
    machine.gpus.cache_clear()
    monkeypatch.setattr(machine, "_DRIVERS", ("/nowhere",))
    assert machine.gpus() == []


@pytest.mark.parametrize(
    ("visible", "found"), [("", ["0", "1"]), ("3, 5", ["3", "5"]), ("GPU-a,GPU-b", ["GPU-a", "GPU-b"])]
)
def test_gpus_keep_the_names_they_are_visible_by(monkeypatch, visible, found):
    machine.gpus.cache_clear()
    monkeypatch.setattr(machine, "_DRIVERS", ("/",))
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert machine.gpus() == found
    machine.gpus.cache_clear()
