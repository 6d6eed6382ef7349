"""Decoding a dataset once, under kills and blocking files: what is kept is whole, and nobody is left behind."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from torchvision import tv_tensors

from src.data import reading
from src.data.cache import Cache
from src.data.description import Description
from src.data.fault import Fault
from src.data.reading import Reading
from src.data.sample import Sample

COUNT = 60


class Slow:
    """Samples whose pixels are their number; reading one takes a moment, or for ever where `blocked` says."""

    def __init__(self, seconds: float = 0.0, blocked: int = -1) -> None:
        self.seconds, self.blocked = seconds, blocked

    def describe(self) -> Description:
        return Description(("image",))

    def __len__(self) -> int:
        return COUNT

    def __getitem__(self, index: int) -> Sample:
        time.sleep(1000 if index == self.blocked else self.seconds)
        image = tv_tensors.Image(torch.full((3, 50, 50), index, dtype=torch.uint8))
        return Sample(image, name=self.name(index), size=(50, 50))

    def name(self, index: int) -> str:
        return str(index)

    def size(self, index: int) -> tuple[int, int]:
        return (50, 50)

    def files(self, index: int) -> tuple[str, ...]:
        return ()


BUILD = f"""
import importlib.util, sys
from pathlib import Path
from src.data.cache import Cache
place = importlib.util.spec_from_file_location("slow", {str(Path(__file__))!r})
module = importlib.util.module_from_spec(place)
sys.modules["slow"] = module
place.loader.exec_module(module)
print("begun", flush=True)
Cache(module.Slow(float(sys.argv[2])), ("image",), Path(sys.argv[1]), workers=2)
"""


def building(folder: Path, seconds: float) -> subprocess.Popen:
    """A process that decodes into the folder, from the moment it begins."""
    command = [sys.executable, "-c", BUILD, str(folder), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"})
    process.stdout.readline()
    return process


def whole(folder: Path) -> bool:
    """Whether the next start finds, or makes, what the samples are."""
    cache = Cache(Slow(), ("image",), folder)
    pictures = all((cache[index].image == index).all() for index in range(COUNT))
    return pictures and len(cache) == COUNT and sorted(path.suffix for path in folder.iterdir()) == [".bin", ".json"]


def test_two_processes_that_decode_at_once_leave_one_whole_cache(tmp_path):
    pair = [building(tmp_path, 0.01) for _ in range(2)]
    assert [process.wait(60) for process in pair] == [0, 0]
    assert whole(tmp_path)


def test_a_kill_while_decoding_leaves_no_process(tmp_path):
    process = building(tmp_path, 0.5)
    deadline = time.monotonic() + 20
    while not (children := psutil.Process(process.pid).children()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert children
    process.kill()
    process.wait()
    gone, alive = psutil.wait_procs(children, timeout=5)
    for child in alive:
        child.kill()
    assert not alive
    assert len(gone) == len(children)


def test_a_sample_that_blocks_is_a_fault_and_hides_no_other(monkeypatch):
    monkeypatch.setattr(reading, "_PATIENCE", 2)
    found = list(Reading(Slow(blocked=7), _name, workers=2))
    assert found[7] == Fault("7", "sample '7': reading it takes more than 2 s: is it a file, on a disk that answers?")
    assert [*found[:7], *found[8:]] == [str(index) for index in range(COUNT) if index != 7]


def _name(sample: Sample) -> str:
    return sample.name


@pytest.mark.long
def test_kills_at_any_moment_of_decoding_and_writing(tmp_path, tally):
    generator = random.Random(0)
    broken = 0
    for number in range(20):
        folder = tmp_path / str(number)
        process = building(folder, 0.002)
        time.sleep(generator.uniform(0, 0.6))
        process.send_signal(signal.SIGKILL)
        process.wait()
        broken += not whole(folder)
    tally("kills while a dataset is decoded", tried=20, failed=broken)
    assert broken == 0


def test_a_cache_that_was_damaged_is_decoded_anew(tmp_path, capsys):
    assert whole(tmp_path)
    file = next(tmp_path.glob("*.bin"))
    damaged = bytearray(file.read_bytes())
    damaged[5000] ^= 4
    file.write_bytes(damaged)
    assert whole(tmp_path)
    assert "bits of it have flipped; the samples are decoded anew" in capsys.readouterr().out
    next(tmp_path.glob("*.json")).write_text(json.dumps([]))
    assert whole(tmp_path)
    assert "the index is damaged" in capsys.readouterr().out
