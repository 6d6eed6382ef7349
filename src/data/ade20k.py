"""ADE20K's scene parsing benchmark, 150 classes (Zhou et al., 2017); names, colors and things are in ade20k.csv."""

import csv
from pathlib import Path

from src.data import decode
from src.data.description import UNKNOWN, Description
from src.data.interface import MissingSplit
from src.data.layout import located, matched
from src.data.sample import Sample
from src.data.values import Values

_FOLDERS = {"train": "training", "val": "validation"}
_VALUES = Values({0: UNKNOWN, **{index + 1: index for index in range(150)}})


class ADE20K:
    """The official layout: `images/{training,validation}` and `annotations/{training,validation}`, 0 unlabelled."""

    def __init__(self, root: str | Path, split: str, max_pixels: int = decode.MAX_PIXELS) -> None:
        """List the images of a split.

        Args:
            root: `ADEChallengeData2016`, or the folder that holds it.
            max_pixels: a larger image is refused before it is unpacked.

        Raises:
            ValueError: another layout, images without a mask, or masks without an image.
            MissingSplit: the split is not there; the test set has no public masks.
        """
        folder = located(root, ["ADEChallengeData2016"], "annotations", "ADE20K")
        images = folder / "images" / _FOLDERS.get(split, split)
        if split not in _FOLDERS or not images.is_dir():
            raise MissingSplit(f"ADE20K has no split {split!r} in {images}: the official ones are train and val")
        self.pairs, self.max_pixels = matched(images, folder / "annotations" / images.name), max_pixels

    def describe(self) -> Description:
        """150 classes, 100 of which are things, as the benchmark's instance track has it."""
        with Path(__file__).with_suffix(".csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        return Description(
            fields=("image", "mask"),
            classes=tuple(row["name"] for row in rows),
            colors=tuple((int(row["red"]), int(row["green"]), int(row["blue"])) for row in rows),
            things=tuple(row["name"] for row in rows if row["thing"] == "1"),
        )

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        return self.pairs[index].sample(_VALUES, 3, self.max_pixels)

    def name(self, index: int) -> str:
        return self.pairs[index].name

    def size(self, index: int) -> tuple[int, int]:
        return self.pairs[index].size()

    def files(self, index: int) -> tuple[str, ...]:
        return self.pairs[index].files()
