"""How long a command takes to answer, beside the import of what it is built on."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from typing import Any

from src.benchmark.clock import interleaved
from src.benchmark.row import Row
from src.run.plugins import ROOT

PEERS = {"import lightning": "import lightning", "import torch": "import torch"}
COMMANDS = {  # what a user waits for before anything happens, and how it ends
    "--help": (["--help"], 0),
    "a misspelt key": (["loss.smoth=1"], 1),
    "a misspelt choice": (["loss=dise"], 1),
    "a value of the wrong type": (["trainer.max_epochs=ten"], 1),
    "a value out of range": (["optimizer.lr=-1"], 1),
    "--cfg job": (["--cfg", "job"], 0),
}


def run(config: Mapping[str, Any]) -> list[Row]:
    """CPU time of fresh processes, each command against each import."""
    commands = config["startup"]["only"] or list(COMMANDS)
    with tempfile.TemporaryDirectory() as folder:
        contestants = {peer: partial(python, folder, 0, "-c", line) for peer, line in PEERS.items()}
        contestants |= {name: partial(_train, folder, name) for name in commands}
        imported = {name: "| torch\n" in _train(folder, name, "-X", "importtime") for name in commands}
        clocks = interleaved(contestants, config["rounds"], warmup=min(1, config["rounds"] - 1))
    rows = []
    for name in commands:
        what = f"src.train: {name}{' (imports torch)' if imported[name] else ''}"
        for peer in PEERS:
            theirs, ours = clocks[peer], clocks[name]
            goal = 1.0 if peer == "import lightning" else None
            more = {"imports_torch": imported[name], "wall_theirs": theirs.wall, "wall_ours": ours.wall}
            rows.append(Row("startup", what, peer, theirs.milliseconds(), ours.milliseconds(), "ms", goal, more=more))
    return rows


def python(folder: str, status: int, *words: str) -> str:
    """What a fresh interpreter writes on stderr.

    Raises:
        ChildProcessError: it did not end with `status`.
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT), "HYDRA_FULL_ERROR": "0"}  # our own front door set it to 1
    done = subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode != status or "Traceback" in done.stderr:
        raise ChildProcessError(f"{' '.join(words)} ended with {done.returncode}, not {status}: {done.stderr[-500:]}")
    return done.stderr


def _train(folder: str, name: str, *options: str) -> str:
    words, status = COMMANDS[name]
    return python(folder, status, *options, "-m", "src.train", *words)
