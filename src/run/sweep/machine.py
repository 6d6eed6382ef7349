"""What a sweep may use of the machine: cores, memory, GPUs."""

import os
import platform
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil

from src.data.cores import control_groups, quotas

MANY = 1_000_000
_DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # NVIDIA, the same under WSL, AMD


def whole() -> bool:
    """Whether a job can be tied to cores: where a quota is paid for, the system chooses which they are."""
    return hasattr(os, "sched_setaffinity") and not any(quotas())


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


def _left() -> Iterator[int]:
    for folder in control_groups("memory"):
        for most, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            with suppress(OSError, ValueError):
                yield max(0, int((folder / most).read_text()) - int((folder / used).read_text()))
