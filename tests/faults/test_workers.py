"""Loading workers that die or hang under a real training: it ends soon, says which, and leaves nobody behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from src.run import checkpoint

TINY = [
    "model=unet_groupnorm",
    "model.decoder.widths=[16,16,16,16,16]",
    "data.resolution=[32,48]",
    "data.lengths={train:16,val:4,test:2}",
    "data.batch_size=4",
    "data.workers=2",
    "trainer.max_epochs=1000",
    "trainer.precision=32-true",
    "trainer.accelerator=cpu",
    "callback.pictures.every_n_epochs=9999",
    "logger=none",
]
TWO = ["trainer.strategy=ddp", "trainer.devices=2"]


class Training:
    """A training in processes of its own, from the moment its first checkpoint is there."""

    def __init__(self, root: Path, *words: str) -> None:
        self.checkpoint = root / "run" / "checkpoints" / "last.ckpt"
        self.errors = root / "errors.txt"
        command = [sys.executable, "-m", "src.train", *TINY, *words, f"data.cache_folder={root}/cache"]
        with self.errors.open("w") as errors:
            self.process = subprocess.Popen(
                [*command, f"hydra.run.dir={root}/run"],
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )
        wait(lambda: self.checkpoint.exists() or self.process.poll() is not None, 120)
        assert self.process.poll() is None, self.errors.read_text()
        self.all = psutil.Process(self.process.pid).children(recursive=True)

    def workers(self, of_main: bool = True) -> list[psutil.Process]:
        """Those of the main process, or those of the other rank."""
        forked = [child for child in self.all if child.cmdline() == child.parent().cmdline() and not child.children()]
        return [child for child in forked if (child.ppid() == self.process.pid) == of_main]

    def end(self, seconds: float) -> str:
        """What it says on stderr, once it has ended by itself with an error."""
        code = self.process.wait(seconds)
        assert code != 0
        wait(lambda: not self.left(), 10)
        return self.errors.read_text()

    def left(self) -> list[psutil.Process]:
        return [process for process in self.all if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def wait(condition: Callable[[], object], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


@pytest.fixture
def training(tmp_path):
    begun = []

    def begin(*words: str) -> Training:
        begun.append(Training(tmp_path, *words))
        return begun[-1]

    yield begin
    for run in begun:
        for process in [run.process, *run.left()]:
            process.kill()
        run.process.wait()


def test_a_killed_worker_ends_the_training_with_one_line(training):
    run = training()
    victim = run.workers()[0]
    victim.kill()
    said = run.end(30)
    assert f"(process {victim.pid}) was killed by SIGKILL" in said
    assert "it read sample '" in said or "it had read sample '" in said
    assert "memory runs out; lower data.workers" in said
    assert "Traceback" not in said
    checkpoint.load(run.checkpoint)


@pytest.mark.long
def test_a_worker_that_hangs_ends_the_training_with_one_line(training, tally):
    run = training("data.timeout=4")
    victim = run.workers()[0]
    victim.send_signal(signal.SIGSTOP)
    said = run.end(30)
    assert f"(process {victim.pid}) has been silent" in said
    assert "data.timeout=4" in said
    assert "Traceback" not in said
    checkpoint.load(run.checkpoint)
    tally("hanging worker", tried=1, failed=0)


@pytest.mark.long
def test_no_worker_outlives_a_killed_training(training, tally):
    run = training()
    assert len(run.workers()) == 4  # two for train, two for val
    run.process.kill()
    run.process.wait()
    wait(lambda: not run.left(), 10)
    tally("training killed, its workers left", tried=4, failed=0)


@pytest.mark.long
@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_worker_of_one_rank_ends_all_of_them(training, rank, tally):
    run = training(*TWO)
    victim = run.workers(of_main=rank == 0)[0]
    victim.kill()
    said = run.end(30)
    assert f"(process {victim.pid}) was killed by SIGKILL" in said
    tally(f"worker of rank {rank} killed", tried=1, failed=0)
