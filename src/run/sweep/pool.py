"""Jobs at the same time, each on its share of the machine."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from src.run.signals import ENDING, handling
from src.run.sweep.job import Job
from src.run.sweep.room import Room
from src.run.sweep.share import Share

_PULSE = 0.2  # seconds between two looks at the jobs and the signals
_PATIENCE = 60.0  # seconds that jobs have to end when the sweep itself fails


def _unwatched(running: Sequence[Job]) -> None:
    """Nobody looks."""


class Pool:
    """Runs jobs as places for them become free.

    Ctrl-C, SIGTERM or SIGHUP reaches every running job, which ends in its own way and saves; no other is begun, and
    `signals` has it. A second one kills them.
    """

    def __init__(
        self,
        shares: Sequence[Share],
        environment: Mapping[str, str],
        room: Room | None = None,
        watch: Callable[[Sequence[Job]], None] = _unwatched,
    ) -> None:
        """Prepare; nothing is begun.

        Args:
            shares: one for each job that may run at the same time, see `src.run.sweep.share.shares`.
            environment: of the jobs.
            room: looks whether memory is left for one more; None: it is never asked.
            watch: is called with the running jobs a few times a second, and whenever one has begun or ended.
        """
        assert shares
        self.signals: list[int] = []
        self._free, self._environment = list(shares), environment
        self._room, self._watch = room, watch
        self._running: dict[Job, Share] = {}
        self._delivered = 0

    def run(self, jobs: Iterator[Job]) -> Iterator[Job]:
        """The jobs as they end. The next is drawn from `jobs` only when there is a place for it.

        To be called on the main thread: signals are heard there, and the jobs end with the thread that began them.
        """
        with handling(lambda number, frame: self.signals.append(number), (*ENDING, signal.SIGHUP)):
            try:
                more = True
                while more or self._running:
                    more = more and self._fill(jobs)
                    ended = [job for job in self._running if job.ended()]
                    for job in ended:
                        self._free.insert(0, self._running.pop(job))
                        if self._room:
                            self._room.learn(job)
                    self._watch([*self._running])
                    yield from ended
                    if self._running and not ended:
                        self._deliver()
                        time.sleep(_PULSE)
            finally:
                self._end()

    def _fill(self, jobs: Iterator[Job]) -> bool:
        """Begin what there is room for; False when no other job will come."""
        while self._free and not self.signals and (not self._room or self._room.for_another([*self._running])):
            job = next(jobs, None)
            if job is None:
                return False
            share = self._free.pop(0)
            job.start(self._environment, share)
            self._running[job] = share
            self._watch([*self._running])
        return not self.signals

    def _deliver(self) -> None:
        for number in self.signals[self._delivered :]:
            for job in self._running:
                job.deliver(number if self._delivered == 0 else signal.SIGKILL)
            self._delivered += 1

    def _end(self) -> None:
        """Leave nothing running when what reads our jobs stops reading."""
        for job in self._running:
            job.deliver(signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE
        while self._running and time.monotonic() < deadline and len(self.signals) < 2:
            self._running = {job: share for job, share in self._running.items() if not job.ended()}
            time.sleep(_PULSE)
        for job in self._running:
            job.deliver(signal.SIGKILL)
