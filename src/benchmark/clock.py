"""Times functions in turns, so that whatever else the machine does meets all of them alike."""

import resource
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil

_LEAST = 0.05  # seconds: a shorter turn is repeated, for clocks are coarse


@dataclass
class Clock:
    """Seconds per call and round: of the processor, children that ended among them, and of the wall."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def milliseconds(self) -> list[float]:
        """Of the processor, a number per round."""
        return [1e3 * seconds for seconds in self.cpu]

    def add(self, since: tuple[float, float], calls: int = 1) -> None:
        """Note a round that began at `since` (see `now`)."""
        cpu, wall = now()
        self.cpu.append((cpu - since[0]) / calls)
        self.wall.append((wall - since[1]) / calls)


def now() -> tuple[float, float]:
    """Seconds that this process and its ended children have computed, and seconds on the wall."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime, time.perf_counter()


def interleaved(contestants: Mapping[str, Callable[[], object]], rounds: int, warmup: int = 1) -> dict[str, Clock]:
    """Each contestant once per round, after `warmup` calls; by these, short ones are repeated within their turn."""
    calls = dict.fromkeys(contestants, 1)
    for name, function in contestants.items():
        for _ in range(warmup):
            began = now()[1]
            function()
            calls[name] = min(1000, ceil(_LEAST / max(now()[1] - began, 1e-6)))
    clocks = {name: Clock() for name in contestants}
    for _ in range(rounds):
        for name, function in contestants.items():
            since = now()
            for _ in range(calls[name]):
                function()
            clocks[name].add(since, calls[name])
    return clocks
