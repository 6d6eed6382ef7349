"""A child process that does not outlive the one that started it."""

import multiprocessing
import os
import threading
import time
from typing import NoReturn


def follow_parent() -> None:
    """End this process within a second of its parent's end, even of one by SIGKILL.

    Waiting for the parent's end of a pipe to close would not do: with `fork` every later child holds a copy of it.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None, "only a child follows"
    threading.Thread(target=_follow, args=(parent.pid,), daemon=True).start()


def _follow(parent: int | None) -> NoReturn:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
