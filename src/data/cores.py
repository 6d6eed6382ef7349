"""Which processor cores this process may use, and how many others may share its reading."""

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from math import ceil
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")  # version 2, or version 1 with a folder per controller
_MOST = 8  # processes that read: more of them wait for the disk


@cache
def usable_cores() -> list[int]:
    """Those this process may run on, no more than its control group pays for."""
    there = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    paid = min((ceil(quota) for quota in quotas()), default=len(there))
    return there[: max(1, paid)]


def readers(shares: int = 1) -> int:
    """How many processes should read, where so many trainings share the cores."""
    return min(_MOST, max(1, len(usable_cores()) // shares))


def quotas() -> Iterator[float]:
    """Cores' worth of time, of every control group around this process that has a limit."""
    for folder in control_groups("cpu"):
        with suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text().split()
            yield float(quota) / float(period)  # `max` is no number
        with suppress(OSError, ValueError):
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
            if float(quota) > 0:
                yield float(quota) / float(period)


def control_groups(controller: str) -> Iterator[Path]:
    """The folders of the control group of this process and of those around it."""
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, names, path = line.split(":", 2)
            if names and controller not in names.split(","):
                continue
            root = _GROUPS / names if names else _GROUPS
            inner = root / path.lstrip("/")
            yield from (folder for folder in (inner, *inner.parents) if folder == root or root in folder.parents)
