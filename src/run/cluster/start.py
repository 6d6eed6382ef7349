"""What a run is called that Slurm or torchrun started: alike in all of its processes, and when it is started again."""

import os
import re
import sys
import time
import zlib
from collections.abc import Sequence
from datetime import timedelta

_INTERACTIVE = ("bash", "interactive")  # Slurm's names of jobs that are a shell, in which people start what they like
_PATIENCE = timedelta(seconds=60)  # for torchrun's store


def name() -> str:
    """The part of the run folder's path that tells runs apart: the time, or what the processes of a job agree on."""
    if job := slurm_job():
        return f"slurm/{job}_{_command()}"
    run = os.environ.get("TORCHELASTIC_RUN_ID")
    if run and run != "none":
        return f"torchrun/{re.sub(r'[^A-Za-z0-9.+-]+', '-', run)}_{_command()}"
    now = time.strftime("%Y-%m-%d/%H-%M-%S")
    return _agreed(now) if run else now


def slurm_job() -> str | None:
    """The job's number in Slurm, which a requeue keeps, as scontrol takes it; None outside of a batch job."""
    said = os.environ
    if "SLURM_JOB_ID" not in said or said.get("SLURM_JOB_NAME") in _INTERACTIVE:
        return None
    if "SLURM_ARRAY_JOB_ID" in said:
        return f"{said['SLURM_ARRAY_JOB_ID']}_{said['SLURM_ARRAY_TASK_ID']}"
    return said["SLURM_JOB_ID"]


def restarted() -> bool:
    """Whether Slurm or torchrun has started this very job before."""
    counts = ("SLURM_RESTART_COUNT", "TORCHELASTIC_RESTART_COUNT")
    return any(int(os.environ.get(count) or 0) > 0 for count in counts)


def refuse(words: Sequence[str]) -> None:
    """Raise SystemExit for processes that would each sweep, or that could not find one another's run folder, and for a
    launcher that has nothing to launch.

    Args:
        words: of the command line.
    """
    said = os.environ
    processes = int(said.get("WORLD_SIZE") or said.get("SLURM_STEP_NUM_TASKS") or 1)
    sweep = bool({"-m", "--multirun"} & set(words))
    if not sweep and any(word.startswith("hydra/launcher=") for word in words):
        raise SystemExit("error: hydra/launcher= starts the jobs of -m, of which there may be one: say -m as well")
    if sweep and processes > 1:
        raise SystemExit(
            f"error: -m in each of {processes} processes would be as many sweeps: start it once, without torchrun and "
            "with srun --ntasks=1 at most; its jobs get their processes by trainer=ddp or hydra/launcher="
        )
    alone = any(word.startswith(("hydra.run.dir=", "-")) for word in words)
    if "NODE_RANK" in said and "LOCAL_RANK" not in said and not alone:
        raise SystemExit(
            "error: NODE_RANK is set, and nodes that are started by hand name their run folder by the time, each "
            "another: say hydra.run.dir=FOLDER, the same on all of them, or start them with torchrun"
        )


def check(nodes: int) -> None:
    """Raise ValueError for several nodes that nobody started: this one would wait for the others for half an hour."""
    if nodes > 1 and not {"TORCHELASTIC_RUN_ID", "SLURM_NTASKS", "NODE_RANK"} & os.environ.keys():
        raise ValueError(
            f"trainer.num_nodes={nodes}: the nodes are started by torchrun or Slurm's srun, and this process is not "
            "(docs/cluster.md); say trainer.num_nodes=1 for this machine alone"
        )


def _command() -> str:
    """What tells the commands of one job apart, in eight characters."""
    return f"{zlib.crc32(' '.join(sys.argv[1:]).encode()):08x}"


def _agreed(proposal: str) -> str:
    """The first proposal of all of torchrun's processes, through the store by which they find one another."""
    from torch.distributed import TCPStore

    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return TCPStore(address, port, timeout=_PATIENCE).compare_set("dense-labeling", "", proposal).decode()
