"""SHA-256 sums of a dataset's files, in the form that sha256sum writes and reads."""

import hashlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from src.run.folder import write

Watched = Callable[[list[str]], Iterable[str]]  # the same items, while a progress bar follows


class Manifest:
    """A text file of lines `SUM  PATH`, paths relative to where it stands."""

    def __init__(self, path: Path, watched: Watched = iter) -> None:
        self.path, self._watched = path, watched

    def write(self, files: Iterable[str]) -> int:
        """Sum up the files as they are now; how many there are."""
        sums = self._sums(sorted(os.path.relpath(file, self.path.parent) for file in files))
        write(self.path, "".join(f"{digest}  {file}\n" for file, digest in sums.items()))
        return len(sums)

    def check(self, files: Iterable[str]) -> list[str]:
        """A sentence for each file whose bytes have changed, that is gone, or that was not there.

        Raises:
            ValueError: the manifest is not there, or is none.
        """
        known = self._read()
        here = {os.path.relpath(file, self.path.parent) for file in files}
        sums = self._sums(sorted(known))
        found = []
        for file, digest in sums.items():
            if digest != known[file]:
                changed = "its bytes are not those that were summed up" if digest else "it is gone, or cannot be read"
                found.append(f"{self._place(file)}: {changed} ({self.path}): restore it, or write the sums anew")
        extra = sorted(here - known.keys())
        return found + [f"{self._place(file)}: it is not in {self.path}: write the sums anew" for file in extra]

    def _read(self) -> dict[str, str]:
        try:
            rows = [line.split("  ", 1) for line in self.path.read_text("utf8").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{self.path} cannot be read ({error}): make it with checksums=write") from error
        if not rows or any(len(row) != 2 or len(row[0]) != 64 for row in rows):
            raise ValueError(f"{self.path} is no list of SHA-256 sums: make it with checksums=write")
        return {file: digest for digest, file in rows}

    def _sums(self, files: list[str]) -> dict[str, str]:
        """By file; empty where it cannot be read."""
        with ThreadPoolExecutor(4) as pool:
            return dict(zip(files, pool.map(self._sum, self._watched(files)), strict=True))

    def _sum(self, file: str) -> str:
        try:
            with self._place(file).open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:  # told by the caller, who knows whether it should be there
            return ""

    def _place(self, file: str) -> Path:
        return Path(os.path.normpath(self.path.parent / file))
