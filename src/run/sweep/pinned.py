"""Run as a script: what ends with its parent, keeps to its cores, and then becomes the command it was given.

A process of its own, because Python code between fork and exec may meet locks that other threads hold.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h; it outlives exec


def main() -> None:
    """`pinned.py PARENT CORES COMMAND...`: cores as `0,1`, or nothing for all of them."""
    parent, cores, command = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if sys.platform == "linux":
        # SIGTERM: a job that nobody watches any more ends in order and saves, and the same sweep goes on with it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before it was asked for
            sys.exit(128 + signal.SIGTERM)
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, map(int, cores.split(",")))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
