"""Slurm's time limit: the job goes back into the queue, and its next start goes on."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from src.run.cluster.start import slurm_job
from src.run.rank import first
from src.run.signals import REQUEUE

_PATIENCE = 60  # seconds that Slurm has to answer


@contextmanager
def requeued() -> Iterator[None]:
    """Ask Slurm to start the job again if one of the signals that announce its end has ended what happens in here.

    After SIGTERM nothing is asked: it comes with a pre-emption, after which Slurm requeues by itself, and with scancel.
    """
    try:
        yield
    except SystemExit as end:
        job = None if "SUBMITIT_EXECUTOR" in os.environ else slurm_job()  # submitit asks by itself
        if job and first() and end.code in [128 + number for number in REQUEUE]:
            _requeue(job)
        raise


def _requeue(job: str) -> None:
    try:
        asked = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True, timeout=_PATIENCE)
        trouble = asked.stderr.strip() if asked.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        trouble = str(error)
    if trouble:
        said = f"warning: Slurm did not requeue job {job} ({trouble}); submit it again with resume=auto"
        print(said, file=sys.stderr, flush=True)
    else:
        print(f"job {job} is back in Slurm's queue, and goes on here", flush=True)
