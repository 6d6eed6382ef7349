"""Pedestrians on two campuses: the Penn-Fudan database (Wang et al., 2007)."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Integer, UInt8

from src.data import decode
from src.data.description import Description
from src.data.held_out import last_fifth
from src.data.interface import MissingSplit
from src.data.layout import complain, images, located
from src.data.numbered import numbered
from src.data.pair import Pair
from src.data.sample import Sample
from src.data.values import Values

_VALUES = Values({0: 0, 1: 1})


class PennFudan:
    """The published layout: `PNGImages/NAME.png`, and `PedMasks/NAME_mask.png` with a number for each pedestrian.

    It has no splits: val is the last fifth of the names, 34 of the 170, all of them from Penn. Who is not labelled,
    being small or mostly hidden, is background. The boxes of `Annotation` are not read: they are those of the masks.
    """

    def __init__(self, root: str | Path, split: str, max_pixels: int = decode.MAX_PIXELS) -> None:
        """List the images of a split.

        Args:
            root: PennFudanPed, or the folder that holds it.
            max_pixels: a larger image is refused before it is unpacked.

        Raises:
            ValueError: another layout, images without a mask, or masks without an image.
            MissingSplit: any split but train and val.
        """
        folder = located(root, ["PennFudanPed"], "PedMasks", "Penn-Fudan")
        if split not in ("train", "val"):
            raise MissingSplit(f"Penn-Fudan is divided into train and val here, there is no {split!r}")
        pairs = _pairs(folder)
        self.pairs, self.max_pixels = pairs[last_fifth(len(pairs), split)], max_pixels

    def describe(self) -> Description:
        """Two classes, of which persons can be counted."""
        return Description(
            fields=("image", "mask", "instances"),
            classes=("background", "person"),
            colors=((60, 64, 72), (230, 90, 70)),
            things=("person",),
        )

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        pair = self.pairs[index]
        ids = decode.labels(pair.mask, max_pixels=self.max_pixels)
        sample = pair.sample(_VALUES, 3, self.max_pixels, read=lambda _: _foreground(ids))
        return replace(sample, instances=numbered(ids, {number: 1 for number in np.unique(ids).tolist() if number}))

    def name(self, index: int) -> str:
        return self.pairs[index].name

    def size(self, index: int) -> tuple[int, int]:
        return self.pairs[index].size()

    def files(self, index: int) -> tuple[str, ...]:
        return self.pairs[index].files()


def _foreground(ids: Integer[np.ndarray, "h w"]) -> UInt8[np.ndarray, "h w"]:
    return (ids > 0).astype(np.uint8)


def _pairs(folder: Path) -> list[Pair]:
    """In order of names."""
    if not (folder / "PNGImages").is_dir():
        raise ValueError(f"{folder} holds PedMasks, but there is no {folder / 'PNGImages'} with their images")
    here, there = images(folder / "PNGImages"), images(folder / "PedMasks")
    alone = [str(paths[0]) for name, paths in here.items() if f"{name}_mask" not in there]
    extra = [str(paths[0]) for name, paths in there.items() if name.removesuffix("_mask") not in here]
    complain(f"{folder}: images and masks do not match", {"without a mask": alone, "without an image": extra})
    both = sorted(name for name in here if f"{name}_mask" in there)
    return [Pair(name, here[name][0], there[f"{name}_mask"][0]) for name in both]
