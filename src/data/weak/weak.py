"""Few labelled pixels in place of dense masks (Bearman et al., 2016; Lin et al., 2016), spread over superpixels."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Int, UInt8
from torch import Tensor
from torchvision import tv_tensors

from src.data.description import UNKNOWN, Description
from src.data.interface import Dataset
from src.data.sample import Sample
from src.data.superpixels import superpixels as slic


class Weak:
    """A dataset whose masks know only what `mark` left of them; the rest is unknown.

    The same pixels are marked in every epoch, process and run: they depend on `click_seed` and the sample's name alone.
    """

    def __init__(
        self,
        dataset: Dataset,
        mark: Callable[..., Any],
        superpixels: int | None = None,
        compactness: float | int = 10,
        click_seed: int = 0,
    ) -> None:
        """Nothing is read yet.

        Args:
            mark: `mark(mask, rng)` gives the mask [h w] that an annotator would leave: 255 but for a few pixels.
            superpixels: so many (about) per image, each taking the class that is marked in it; one in which several
                are marked is unknown. None: the marks alone are known.
            compactness: of the superpixels.
            click_seed: another seed, other marks; the seed of a run does not change them.

        Raises:
            ValueError: the dataset has no masks, or masks that overlap.
        """
        said = dataset.describe()
        if "mask" not in said.fields or said.multilabel:
            raise ValueError("data.weak marks pixels of a mask that has one class per pixel; this dataset has none")
        self._dataset, self._mark, self._superpixels = dataset, mark, superpixels
        self._compactness, self._seed = compactness, click_seed
        self._range = said.value_range

    def describe(self) -> Description:
        """What the dataset says of itself."""
        return self._dataset.describe()

    def __len__(self) -> int:
        return len(self._dataset)

    def __getitem__(self, index: int) -> Sample:
        sample = self._dataset[index]
        digest = hashlib.sha256(sample.name.encode()).digest()
        rng = np.random.default_rng([self._seed, *digest[:8]])
        mask = self._mark(sample.mask.as_subclass(Tensor).numpy().astype(np.uint8), rng)
        if self._superpixels:
            low, high = self._range
            image = torch.from_numpy(sample.image.numpy().astype(np.float32) - low) / (high - low)
            mask = spread(mask, slic(image, self._superpixels, self._compactness).numpy())
        return replace(sample, mask=tv_tensors.Mask(torch.from_numpy(mask)))

    def name(self, index: int) -> str:
        return self._dataset.name(index)

    def size(self, index: int) -> tuple[int, int]:
        return self._dataset.size(index)

    def files(self, index: int) -> tuple[str, ...]:
        return self._dataset.files(index)


def spread(marks: UInt8[np.ndarray, " h w"], superpixels: Int[np.ndarray, " h w"]) -> UInt8[np.ndarray, " h w"]:
    """Each superpixel in the one class that is marked in it; unknown where none is, or several are."""
    present = np.zeros((superpixels.max() + 1, UNKNOWN + 1), bool)
    present[superpixels, marks] = True
    present = present[:, :UNKNOWN]
    classes = np.where(present.sum(1) == 1, present.argmax(1), UNKNOWN).astype(np.uint8)
    return classes[superpixels]
