"""How much memory one training or evaluation takes, measured in a process of its own: python -m src.benchmark.probe."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import psutil
import torch

from src.benchmark import loop, setup
from src.benchmark.memory import highest
from src.benchmark.turns import Turns
from src.run.evaluation import evaluator
from src.run.plugins import ROOT

Kind = Literal["ours", "bare", "evaluation"]


def measured(kind: Kind, words: Sequence[str], threads: int) -> float:
    """Peak memory in MiB above what the process takes after importing everything; of the device, if there is one.

    Raises:
        ChildProcessError: the process failed; the message is the end of what it said.
    """
    command = [sys.executable, "-m", "src.benchmark.probe", json.dumps([kind, list(words), threads])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise ChildProcessError(f"measuring memory ({kind}) failed:\n{done.stderr[-2000:]}")
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Print the figure."""
    kind, words, threads = json.loads(sys.argv[1])
    torch.set_num_threads(threads)
    before = psutil.Process().memory_info().rss
    with tempfile.TemporaryDirectory() as folder:
        ours = setup.session(words, Path(folder))
        _work(kind, ours)
    if torch.cuda.is_available() and ours.trainer.strategy.root_device.type == "cuda":
        print(torch.cuda.max_memory_allocated() / 2**20)
    else:
        print((highest() - before) / 2**20)


def _work(kind: Kind, ours: setup.Session) -> None:
    if kind == "evaluation":
        options = {name: ours.settings["trainer"][name] for name in ("accelerator", "devices", "precision")}
        evaluator(options, ours.folder, pictures=0).test(ours.task, datamodule=ours.data, verbose=False)
        return
    turns = Turns(setup.ready(ours, 1), block=3, count=1)
    if kind == "ours":
        setup.fit(ours, turns)
    else:
        loop.bare(setup.parts(ours), turns)


if __name__ == "__main__":
    main()
