"""Whether there is memory for one more job."""

from collections.abc import Sequence

from src.run.sweep import machine
from src.run.sweep.job import Job

_FLOOR = 2 * 2**30  # bytes that a job is thought to need before any has ended
_SPARE = 1.25  # the next may need more than those before


class Room:
    """Learns what a job takes from those that ended; a job by itself may always start.

    Jobs that have just begun will grow: what they have not taken yet is kept free for them.
    """

    def __init__(self) -> None:
        self.need = _FLOOR
        self._seen = 0

    def for_another(self, running: Sequence[Job]) -> bool:
        """Whether one more fits beside those that run."""
        promised = sum(max(0, self.need - job.memory) for job in running)
        return not running or machine.free_memory() >= promised + self.need

    def learn(self, job: Job) -> None:
        """Take note of a job that ended; one that failed may have ended before it was large."""
        if job.trouble is None and job.peak:
            self._seen = max(self._seen, job.peak)
            self.need = int(_SPARE * self._seen)
