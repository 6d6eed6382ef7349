import os
import resource
import subprocess
import sys

import numpy as np
import pytest

from src.data import store as module
from src.data.store import Store

BLOCKS = [np.arange(64, dtype=np.uint8), np.full(4096, 7, np.uint8), np.empty(0, np.uint8)]
ENTRIES = [{"name": "a", "size": [3, 4]}, {"name": "b"}]


@pytest.fixture
def saved(tmp_path):
    Store(tmp_path / "key").save(ENTRIES, BLOCKS)
    return tmp_path / "key"


def test_what_was_saved_comes_back(saved):
    entries, data = Store(saved).load()
    assert entries == ENTRIES
    assert np.array_equal(data, np.concatenate(BLOCKS))
    assert sorted(path.name for path in saved.parent.iterdir()) == ["key.bin", "key.json"]


def test_nothing_is_there_at_first(tmp_path, capsys):
    assert Store(tmp_path / "key").load() is None
    assert capsys.readouterr().out == ""


def test_nothing_at_all_may_be_saved(tmp_path):
    Store(tmp_path / "key").save([], [])
    entries, data = Store(tmp_path / "key").load()
    assert entries == []
    assert len(data) == 0


def test_every_flipped_bit_is_seen(saved, tally, capsys):
    tried, missed = 0, 0
    generator = np.random.default_rng(0)
    for suffix in (".bin", ".json"):
        file = saved.with_suffix(suffix)
        whole = file.read_bytes()
        for place in generator.integers(0, 8 * len(whole), 200):
            broken = bytearray(whole)
            broken[place // 8] ^= 1 << place % 8
            file.write_bytes(broken)
            tried += 1
            missed += Store(saved).load() is not None
        file.write_bytes(whole)
    tally("bits flipped in a decoded cache", tried, missed)
    assert missed == 0
    assert "the samples are decoded anew" in capsys.readouterr().out
    assert Store(saved).load() is not None


@pytest.mark.parametrize("suffix", [".bin", ".json"])
@pytest.mark.parametrize("kept", [0, 1, 40, -8])
def test_a_truncated_file_is_not_used(saved, suffix, kept):
    file = saved.with_suffix(suffix)
    file.write_bytes(file.read_bytes()[:kept])
    assert Store(saved).load() is None


@pytest.mark.parametrize("suffix", [".bin", ".json"])
def test_a_missing_file_is_not_used(saved, suffix):
    saved.with_suffix(suffix).unlink()
    assert Store(saved).load() is None


def test_a_full_disk_is_told_with_bytes_and_remedy_and_leaves_the_old_pair(saved):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(ValueError, match=r"key.bin: .*20,000 bytes.*File too large.*data.cache_folder") as caught:
            Store(saved).save(ENTRIES, [np.zeros(20_000, np.uint8)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert isinstance(caught.value.__cause__, OSError)
    assert Store(saved).load()[0] == ENTRIES
    assert len(list(saved.parent.iterdir())) == 2


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"file: cannot be made \(File exists\); say data.cache_folder"):
        Store(tmp_path / "file" / "key")


def test_drafts_of_dead_processes_are_removed_and_those_of_the_living_are_not(saved):
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    names = {process: f"other.bin.{module._HOST}.{process}" for process in (dead.stdout.strip(), str(os.getpid()))}
    elsewhere = saved.with_name(f"other.bin.another-machine.{dead.stdout.strip()}")
    for file in [*map(saved.with_name, names.values()), elsewhere]:
        file.touch()
    Store(saved)
    left = {path.name for path in saved.parent.iterdir()}
    assert left == {"key.bin", "key.json", names[str(os.getpid())], elsewhere.name}
