"""Arrays in a file that every process maps, with an index beside it: whole and unchanged, or not there at all."""

import errno
import fcntl
import hashlib
import json
import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import psutil
from jaxtyping import UInt8

_HOST = socket.gethostname().replace(".", "-")  # folders may be shared between machines, process ids are not
_REMEDY = "say data.cache_folder=FOLDER to keep decoded samples elsewhere, or data.cache=memory or none"


class Store:
    """A pair of files. A kill at any moment, a full disk or a flipped bit costs the pair, never a wrong sample."""

    def __init__(self, path: Path) -> None:
        """Make the folder and remove what dead processes left unfinished in it.

        Args:
            path: of both files, without a suffix.

        Raises:
            ValueError: the folder cannot be made.
        """
        self._index, self._data = path.with_suffix(".json"), path.with_suffix(".bin")
        self._lock = path.with_suffix(".lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f"{path.parent}: cannot be made ({error.strerror}); {_REMEDY}") from error
        _sweep(path.parent)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let one process after the other in, so that jobs that begin together decode once.

        Raises:
            ValueError: nothing can be written there.
        """
        with self._locked():
            try:
                yield
            finally:
                self._lock.unlink(missing_ok=True)

    def _locked(self) -> TextIO:
        """The file that is locked, until it is closed or its process ends."""
        waited = False
        while True:
            try:
                file = self._lock.open("a+")
            except OSError as error:
                raise ValueError(f"{self._lock}: cannot be written ({error.strerror}); {_REMEDY}") from error
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | (0 if waited else fcntl.LOCK_NB))
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EAGAIN):
                    return file  # a file system without locks: it costs time, no sample
                file.close()
                print("another process decodes these samples; waiting for it", flush=True)
                waited = True
                continue
            with suppress(FileNotFoundError):
                if os.path.samestat(self._lock.stat(), os.fstat(file.fileno())):
                    return file
            file.close()  # who held it took it along

    def load(self) -> tuple[list[dict[str, Any]], UInt8[np.ndarray, " n"]] | None:
        """Entries of the index and all bytes; None where there are none, or not those that were saved.

        All of them are summed up: at 15 GiB/s that costs less than the first epoch's reading of them.

        Raises:
            ValueError: the files are there but cannot be read.
        """
        try:
            seal, _, text = self._index.read_text().partition("\n")
            if seal != _digest(text):
                raise ValueError("the index is damaged")
            index = json.loads(text)
            if self._data.stat().st_size != index["size"]:
                raise ValueError(f"{self._data.stat().st_size} bytes of {index['size']}")
            # copy on write: PyTorch wants a writable array, and the file stays as it is
            data = np.memmap(self._data, np.uint8, mode="c") if index["size"] else np.empty(0, np.uint8)
            if _sum(data) != index["sum"]:
                raise ValueError("bits of it have flipped")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ValueError(f"{self._data}: cannot be read ({error.strerror}); {_REMEDY}") from error
        except ValueError as error:
            print(f"{self._data}: {error}; the samples are decoded anew")
            return None
        return index["entries"], data

    def save(self, entries: Sequence[dict[str, Any]], blocks: Sequence[np.ndarray]) -> None:
        """Write both files.

        Args:
            entries: what json can hold.
            blocks: of a multiple of 8 bytes each.

        Raises:
            ValueError: they cannot be written; nothing is left of them then.
        """
        size = sum(len(block) for block in blocks)
        total = sum(map(_sum, blocks)) % 2**64
        text = json.dumps({"size": size, "sum": total, "entries": entries})
        try:
            _replace(self._data, (block.data for block in blocks))
            _replace(self._index, [f"{_digest(text)}\n{text}".encode()])
        except OSError as error:
            raise ValueError(
                f"{self._data}: the decoded samples, {size:,} bytes, cannot be written ({error.strerror}): make room "
                f"there, or {_REMEDY}"
            ) from error


def _replace(path: Path, parts: Iterable[bytes | memoryview]) -> None:
    """Under another name first, so that nobody ever maps half a file."""
    draft = path.with_name(f"{path.name}.{_HOST}.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            file.writelines(parts)
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    for draft in folder.glob(f"*.{_HOST}.*"):
        process = draft.suffix[1:]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            with suppress(OSError):  # another process was faster, or may not write here
                draft.unlink()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _sum(data: UInt8[np.ndarray, " n"]) -> int:
    """Of all words of 64 bits: ten times as fast as a CRC, and one flipped bit changes it as surely."""
    return int(np.add.reduce(data.view(np.uint64), dtype=np.uint64))
