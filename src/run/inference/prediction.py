"""What is known of one image while its rows come in: small enough to hold, however large the image is."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
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
        self._probabilities = None
        if probabilities is not None:
            shape = (num_classes, *size)
            self._probabilities = np.lib.format.open_memmap(probabilities, "w+", np.float16, shape)

    def write(self, top: int, logits: Float[Tensor, "k rows w"]) -> None:
        """Rows from `top` on; the same rows may come again."""
        rows = slice(top, top + logits.shape[1])
        answer = self._ensemble.answer(logits[None])[0]
        if self._overlapping and self._maps is not None:
            self._maps[:, rows] = answer.cpu().numpy()
        self.mask[rows] = (flattened(answer) if self._overlapping else answer).to(torch.uint8).cpu().numpy()
        if self._probabilities is not None:
            self._probabilities[:, rows] = self._ensemble.probabilities(logits[None])[0].half().cpu().numpy()

    def close(self) -> None:
        """Everything is on disk that goes there."""
        if self._probabilities is not None:
            self._probabilities.flush()

    def present(self, index: int) -> UInt8[np.ndarray, " h w"]:
        """1 where the class is, 0 elsewhere."""
        if not self._overlapping:
            return (self.mask == index).astype(np.uint8)
        assert self._maps is not None, "asked for maps that were not kept"
        return self._maps[index]
