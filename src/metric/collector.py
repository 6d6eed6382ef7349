"""Python's search for unreachable cycles, put off while many small objects are made."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """As context or decorator: no search within. Entries of half a million detections, none of them in a cycle, would
    be walked through again and again, which takes as long as the evaluation itself.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
