"""A look at things every second, whatever the main thread waits for."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS = 1.0  # between two looks


@contextmanager
def pulse(look: Callable[[], None]) -> Iterator[None]:
    """Call `look` every second; an error of it ends the wait.

    A timer, because a read from a process that was stopped in mid-message returns to nobody else. In another thread
    than the main one, and on Windows, nothing is called.
    """
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    began = time.monotonic()
    handler = signal.signal(signal.SIGALRM, lambda *_: look())
    others, interval = signal.setitimer(signal.ITIMER_REAL, SECONDS, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler or signal.SIG_DFL)
        if others:  # somebody else's alarm goes on
            signal.setitimer(signal.ITIMER_REAL, max(1e-3, others - (time.monotonic() - began)), interval)
