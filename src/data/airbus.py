"""Ships from above: the Airbus ship detection challenge (Kaggle, 2018)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt16
from torchvision import tv_tensors

from src.data import decode
from src.data.description import Description
from src.data.held_out import held_out
from src.data.interface import MissingSplit
from src.data.layout import located, present
from src.data.numbered import numbered
from src.data.pair import Pair
from src.data.runs import drawn, runs
from src.data.sample import Sample

_TABLE, _IMAGES = "train_ship_segmentations_v2.csv", "train_v2"


class Airbus:
    """The challenge's own layout: 768×768 images in `train_v2`, and a table with a row for each ship.

    A row is `ImageId,EncodedPixels`: pairs of a first pixel and a length, counted from 1 down the columns, and nothing
    where an image shows no ship, as three of four do. Ships do not overlap. There are no splits: val is a fifth of the
    images, by a hash of their names. One image of the release is cut off, 6384c3e78.jpg: data.skip=1 leaves it out.
    """

    def __init__(self, root: str | Path, split: str, empty: bool = True, max_pixels: int = decode.MAX_PIXELS) -> None:
        """Read the table.

        Args:
            root: holds `train_v2` and `train_ship_segmentations_v2.csv`.
            empty: keep the images that show no ship.
            max_pixels: a larger image is refused before it is unpacked.

        Raises:
            ValueError: another layout, a table of another kind, or images that are listed and not there.
            MissingSplit: any split but train and val.
        """
        folder = located(root, [], _TABLE, "Airbus ships")
        if split not in ("train", "val"):
            raise MissingSplit(f"Airbus has ships for train and val only, not for {split!r}: use src.predict on it")
        self.ships, self.max_pixels = runs(folder / _TABLE), max_pixels
        held = held_out(list(self.ships))
        chosen = [name for name, ships in self.ships.items() if (name in held) == (split == "val") and (ships or empty)]
        pairs = [Pair(Path(name).stem, folder / _IMAGES / name) for name in sorted(chosen)]
        self.pairs, self.table = present(pairs, folder / _TABLE), folder / _TABLE

    def describe(self) -> Description:
        """Two classes, of which ships can be counted."""
        return Description(
            fields=("image", "mask", "instances"),
            classes=("background", "ship"),
            colors=((30, 60, 110), (250, 200, 60)),
            things=("ship",),
        )

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        pair = self.pairs[index]
        sample = pair.sample(None, 3, self.max_pixels)
        ships = self.ships[pair.image.name]
        try:
            ids = _drawn(ships, sample.size)
        except ValueError as error:
            raise ValueError(f"{self.table}: a ship of {pair.image.name} cannot be drawn: {error}") from error
        mask = tv_tensors.Mask(torch.from_numpy((ids > 0).astype(np.uint8)))
        return replace(sample, mask=mask, instances=numbered(ids, dict.fromkeys(range(1, len(ships) + 1), 1)))

    def name(self, index: int) -> str:
        return self.pairs[index].name

    def size(self, index: int) -> tuple[int, int]:
        return self.pairs[index].size()

    def files(self, index: int) -> tuple[str, ...]:
        return (*self.pairs[index].files(), str(self.table))


def _drawn(ships: Sequence[str], size: tuple[int, int]) -> UInt16[np.ndarray, "h w"]:
    """The number of each pixel's ship, from 1 on; 0 for none."""
    ids = np.zeros(size, np.uint16)
    for number, encoded in enumerate(ships, 1):
        ship = drawn(encoded, size)
        if ids[ship].any():
            raise ValueError(f"its run lengths {encoded[:40]!r} hold pixels of another ship")
        ids[ship] = number
    return ids
