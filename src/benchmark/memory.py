"""The memory that this process has taken at most, from the operating system."""

import ctypes
import platform
import resource
import sys
from collections.abc import Callable
from pathlib import Path

_RESET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")

_GLIBC = platform.libc_ver()[0] == "glibc"
_ARENA_MAX = -8  # M_ARENA_MAX of <malloc.h>


def highest() -> int:
    """Bytes of physical memory at the highest point so far (since the last reset by `added`)."""
    if _STATUS.exists():
        return _marked()  # on Linux ru_maxrss begins at the highest point of the process that started this one
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found if sys.platform == "darwin" else found * 1024


def one_heap() -> None:
    """Let all threads share one heap, where the C library is glibc: else a loop's speed depends on whose thread it has.

    Seen: 2 % of a U-Net's step between the main thread and another.
    """
    if _GLIBC:
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def added(function: Callable[[], object]) -> int | None:
    """Bytes that a call takes at its highest point beside what was there before; None where only Linux could say.

    To a few MiB: what was freed before is given back to the system first, so that it cannot be taken unseen.
    """
    if not (_RESET.exists() and _GLIBC):
        return None
    ctypes.CDLL(None).malloc_trim(0)
    _RESET.write_text("5")  # the mark of the highest point falls to where we are
    before = _marked()
    function()
    return _marked() - before


def _marked() -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
