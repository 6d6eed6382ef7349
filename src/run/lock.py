"""One run per folder."""

import errno
import fcntl
import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from src.run.rank import first

_DRAFT = re.compile(r"\..+\.\d+")  # what is written before it is renamed


@contextmanager
def locked(folder: Path, key: str = "hydra.run.dir") -> Iterator[None]:
    """Hold the folder; the kernel lets go of it when this process ends, however it ends.

    A record lock, which forked loading processes do not inherit. What a killed run left half written is removed; of a
    sweep only what is its own, for its jobs may still be writing.

    Args:
        folder: of a run, or of a sweep.
        key: says which folder it is.

    Raises:
        ValueError: a live process holds it.
    """
    if not first():
        yield
        return
    path = folder / ".lock"
    file = _opened(path, key)
    before = file.read().strip()
    if before:
        print(f"{folder}: taken over from {before}, which did not end in order")
    file.seek(0)
    file.truncate()
    file.write(f"process {os.getpid()} on {platform.node()}\n")
    file.flush()
    for draft in folder.rglob(".*") if key == "hydra.run.dir" else folder.glob(".*"):
        if _DRAFT.fullmatch(draft.name) and draft.is_file():
            draft.unlink()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        file.close()


def holder(folder: Path) -> str | None:
    """The live process that runs in a folder, in words; None where there is none."""
    try:
        with (folder / ".lock").open("r+") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # let go of when the file is closed
            except OSError:
                return file.read().strip() or "another process"
    except FileNotFoundError:
        return None
    return None


def _opened(path: Path, key: str) -> TextIO:
    while True:
        file = path.open("a+")
        file.seek(0)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = file.read().strip() or "another process"
            file.close()
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise ValueError(f"{path}: cannot be locked ({error.strerror}); choose another folder") from error
            raise ValueError(
                f"{path.parent}: {owner} is running here. Wait for it, end it, or choose another {key}"
            ) from error
        if path.exists() and os.path.samestat(path.stat(), os.fstat(file.fileno())):
            return file
        file.close()  # its holder ended between our opening and our locking it, and took the file along
