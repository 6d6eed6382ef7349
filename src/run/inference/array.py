"""A .npy file that is filled by rows; mapped into memory, a full disk would kill the process."""

from pathlib import Path

import numpy as np
from jaxtyping import Float32

from src.run.inference.writing import draft


class Array:
    """Float32 numbers [h w c] under a draft's name until they are complete."""

    def __init__(self, path: Path, shape: tuple[int, int, int]) -> None:
        """Write the header.

        Raises:
            ValueError: the folder cannot be made.
        """
        self._path, self._part, self._row = path, draft(path), 4 * shape[1] * shape[2]
        with self._part.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
            self._start = file.tell()

    def write(self, top: int, rows: Float32[np.ndarray, "rows w c"]) -> None:
        """Put rows from `top` on into their place."""
        with self._part.open("r+b") as file:
            file.seek(self._start + top * self._row)
            file.write(np.ascontiguousarray(rows, "<f4").data)

    def finish(self) -> None:
        """Give it its name."""
        self._part.replace(self._path)

    def drop(self) -> None:
        """Remove it, unless it was finished."""
        self._part.unlink(missing_ok=True)
