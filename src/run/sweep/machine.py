"""What this process may use of the machine: cores, memory, GPUs."""

import os
import platform
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from math import ceil
from pathlib import Path

import psutil

MANY = 1_000_000
_GROUPS = Path("/sys/fs/cgroup")  # version 2, or version 1 with a folder per controller
_DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # NVIDIA, the same under WSL, AMD


@cache
def cores() -> list[int]:
    """Those this process may run on, no more than its control group pays for."""
    there = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    paid = min((ceil(quota) for quota in _quotas()), default=len(there))
    return there[: max(1, paid)]


def whole() -> bool:
    """Whether a job can be tied to cores: where a quota is paid for, the system chooses which they are."""
    return hasattr(os, "sched_setaffinity") and not any(_quotas())


def free_memory() -> int:
    """Bytes that can still be taken, here and in the control group."""
    return min([psutil.virtual_memory().available, *_left()])


@cache
def gpus() -> list[str]:
    """As CUDA_VISIBLE_DEVICES would name them; none are looked for where there is no driver."""
    if not any(Path(driver).exists() for driver in _DRIVERS):
        return []
    import torch  # knows best what CUDA will see

    visible = [word.strip() for word in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if word.strip()]
    count = torch.cuda.device_count()
    return visible[:count] if visible else [str(index) for index in range(count)]


def apple() -> bool:
    """Whether there is the one GPU of an Apple computer."""
    return platform.system() == "Darwin" and platform.machine() == "arm64"


def _quotas() -> Iterator[float]:
    """Cores' worth of time, of every control group around this process that has a limit."""
    for folder in _folders("cpu"):
        with suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text().split()
            yield float(quota) / float(period)  # `max` is no number
        with suppress(OSError, ValueError):
            quota, period = ((folder / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
            if float(quota) > 0:
                yield float(quota) / float(period)


def _left() -> Iterator[int]:
    for folder in _folders("memory"):
        for most, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            with suppress(OSError, ValueError):
                yield max(0, int((folder / most).read_text()) - int((folder / used).read_text()))


def _folders(controller: str) -> Iterator[Path]:
    """The control group of this process and those around it."""
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, names, path = line.split(":", 2)
            if names and controller not in names.split(","):
                continue
            root = _GROUPS / names if names else _GROUPS
            inner = root / path.lstrip("/")
            yield from (folder for folder in (inner, *inner.parents) if folder == root or root in folder.parents)
