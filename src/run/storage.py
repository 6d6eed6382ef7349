"""Checkpoints that are there whole or not at all, and that say so themselves."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import torch
from lightning.fabric.plugins import CheckpointIO

from src.run import checkpoint
from src.run.checkpoint import SEAL, sealed
from src.run.folder import replacing


class Storage(CheckpointIO):
    """Writes beside the old file, to the disk and then in its place: a kill at any moment leaves one of the two whole.

    The SHA-256 of a checkpoint stands in the comment of its zip archive; `checkpoint.load` refuses a file that has
    become another.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Replace `path`.

        Raises:
            ValueError: it cannot be written; the old file is as it was and nothing is left beside it.
        """
        path = Path(path)
        try:
            with replacing(path) as draft, draft.open("w+b") as file:
                output = _Hashing(file)
                torch.save(checkpoint, output)
                output.seal()
                os.fsync(file.fileno())
            _settle(path.parent)
        except OSError as error:
            size = sum(tensor.numel() * tensor.element_size() for tensor in _tensors(checkpoint))
            raise ValueError(
                f"{path}: the checkpoint of {size:,} bytes cannot be written ({error.strerror}). What was saved "
                "before is as it was: make room there, or choose another hydra.run.dir"
            ) from error

    def load_checkpoint(
        self, path: str | Path, map_location: Any | None = None, weights_only: bool | None = None
    ) -> dict[str, Any]:
        """What `checkpoint.load` makes of it, whatever the caller would have allowed."""
        return checkpoint.load(Path(path))

    def remove_checkpoint(self, path: str | Path) -> None:
        Path(path).unlink(missing_ok=True)


class _Hashing:
    """A file that keeps the SHA-256 of what goes through it.

    An error is kept until the end: raised in the midst of torch's own writer, it would come out as another.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._digest, self._error = file, hashlib.sha256(), None

    def write(self, data: bytes | memoryview) -> int:
        if self._error is None:
            try:
                self._digest.update(data)
                self._file.write(data)
            except OSError as error:
                self._error = error
        return len(data)

    def flush(self) -> None:
        """Torch asks for it; what counts happens in `seal`."""

    def seal(self) -> None:
        if self._error:
            raise self._error
        self._file.seek(-2, os.SEEK_END)
        assert self._file.read() == b"\0\0", "a zip archive without a comment ends with the comment's length"
        self._file.seek(-2, os.SEEK_END)
        self._file.write(SEAL + sealed(self._digest))
        self._file.flush()


def _settle(folder: Path) -> None:
    """The folder's entry to the disk as well, where the file system knows of that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    parts: Callable[[], Any] = getattr(value, "values", lambda: value if isinstance(value, list | tuple) else ())
    return [tensor for part in parts() for tensor in _tensors(part)]
