"""What is known of one image while its rows come in: small enough to hold, however large the image is."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float16, UInt8
from torch import Tensor

from src.data.color import flattened
from src.run.inference.ensemble import Ensemble


class Prediction:
    """The class of each pixel, and on request each class by itself and the probabilities, which go to disk at once."""

    def __init__(
        self, ensemble: Ensemble, size: tuple[int, int], separate: bool = False, probabilities: Path | None = None
    ) -> None:
        """Make room for an image.

        Args:
            size: height and width of the image.
            separate: whether each class's own map is wanted.
            probabilities: an .npy file to write them to, as float16 [k h w].
        """
        self._ensemble = ensemble
        self._overlapping = ensemble.description.multilabel
        num_classes = ensemble.description.num_classes
        self.mask: UInt8[np.ndarray, " h w"] = np.zeros(size, np.uint8)
        self._maps = np.zeros((num_classes, *size), np.uint8) if separate and self._overlapping else None
        self._probabilities = None if probabilities is None else _Array(probabilities, (num_classes, *size))

    def write(self, top: int, logits: Float[Tensor, "k rows w"]) -> None:
        """Rows from `top` on; the same rows may come again."""
        rows = slice(top, top + logits.shape[1])
        answer = self._ensemble.answer(logits[None])[0]
        if self._overlapping and self._maps is not None:
            self._maps[:, rows] = answer.cpu().numpy()
        self.mask[rows] = (flattened(answer) if self._overlapping else answer).to(torch.uint8).cpu().numpy()
        if self._probabilities is not None:
            self._probabilities.write(top, self._ensemble.probabilities(logits[None])[0].half().cpu().numpy())

    def present(self, index: int) -> UInt8[np.ndarray, " h w"]:
        """1 where the class is, 0 elsewhere."""
        if not self._overlapping:
            return (self.mask == index).astype(np.uint8)
        assert self._maps is not None, "asked for maps that were not kept"
        return self._maps[index]


class _Array:
    """A .npy file of float16 [k h w] that is filled by rows; mapped into memory, a full disk would kill the process."""

    def __init__(self, path: Path, shape: tuple[int, int, int]) -> None:
        self._path, self._shape = path, shape
        with path.open("wb") as file:
            header = {"descr": "<f2", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            self._start = file.tell()

    def write(self, top: int, rows: Float16[np.ndarray, "k rows w"]) -> None:
        """Put rows from `top` on into their place."""
        _, height, width = self._shape
        with self._path.open("r+b") as file:
            for index, plane in enumerate(rows):
                file.seek(self._start + 2 * width * (index * height + top))
                file.write(np.ascontiguousarray(plane, "<f2").data)
