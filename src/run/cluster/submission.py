"""A job of a sweep as submitit runs it on a node: a plain run in a process of its own."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from src.run.rank import first
from src.run.sweep.job import Job
from src.run.sweep.share import Share

_PULSE = 0.2  # seconds between two looks at the process


class Submission:
    """Called in every task of the job; Slurm tells the tasks apart, and Lightning asks Slurm.

    submitit keeps SIGTERM from this process, and before the job's time is over sends SIGUSR2: the run then saves, and
    the job goes back into the queue.
    """

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._process = 0

    def __call__(self, command: list[str], folder: str, more: dict[str, str]) -> str | None:
        """Run it; what went wrong, if anything. What it prints is in the folder's log.txt.

        Args:
            command: of `src.train`.
            folder: of the run.
            more: environment variables that the sweep gives to its jobs.
        """
        job = Job(command, Path(folder))
        job.start(os.environ | more, Share())
        assert job.process is not None
        self._process = job.process.pid
        while not job.ended():
            time.sleep(_PULSE)
        if first():
            print(f"{folder}: {job.trouble or 'finished'}", flush=True)
        return job.trouble

    def checkpoint(self, command: list[str], folder: str, more: dict[str, str]) -> Any:
        """submitit calls this in its handler of the signal: what it is to run when the job starts again."""
        from submitit.helpers import DelayedSubmission

        with suppress(ProcessLookupError, ChildProcessError):  # it has ended by itself
            os.kill(self._process, signal.SIGTERM)
            os.waitid(os.P_PID, self._process, os.WEXITED | os.WNOWAIT)  # Popen would wait for what we interrupt
        words = [word for word in command if word != "resume=auto"]
        return DelayedSubmission(Submission(), [*words, "resume=auto"], folder, more)
