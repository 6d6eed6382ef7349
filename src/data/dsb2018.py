"""Nuclei of the 2018 Data Science Bowl, in many kinds of microscopy (Caicedo et al., 2019), as foreground."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torchvision import tv_tensors

from src.data import decode
from src.data.description import Description
from src.data.interface import MissingSplit
from src.data.layout import complain, images, lines, located, present
from src.data.pair import Pair
from src.data.sample import Sample
from src.data.separate import foreground
from src.data.values import Values

_STAGE = "stage1_train"
_FOREGROUND, _NUCLEUS = Values({0: 0, 1: 1}), Values({0: 0, 255: 1})


class DSB2018:
    """The Bowl's own layout, or one mask of numbered nuclei per image.

    That is `stage1_train/NAME/{images,masks}/*.png` with a mask per nucleus, where the split val is the last fifth of
    the names, which are hashes; or `images/NAME.png`, `instances/NAME.png` and lists `train.txt`, `val.txt` of names.
    """

    def __init__(
        self, root: str | Path, split: str, separate: bool = True, max_pixels: int = decode.MAX_PIXELS
    ) -> None:
        """List the images of a split.

        Args:
            separate: part nuclei that touch by a line of background, two pixels wide; without it they grow together.
            max_pixels: a larger image is refused before it is unpacked.

        Raises:
            ValueError: another layout, or files that are listed and not there.
            MissingSplit: there is no list of this split, or no masks for it.
        """
        numbered = (Path(root).expanduser() / "instances").is_dir()
        folder = located(root, [], "instances" if numbered else _STAGE, "DSB 2018")
        self.pairs = _numbered(folder, split) if numbered else _official(folder / _STAGE, split)
        self.separate, self.max_pixels = separate, max_pixels

    def describe(self) -> Description:
        """Two classes, of which nuclei can be counted."""
        return Description(
            fields=("image", "mask"),
            classes=("background", "nucleus"),
            colors=((40, 44, 60), (240, 190, 60)),
            things=("nucleus",),
        )

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        pair = self.pairs[index]
        if isinstance(pair.mask, Path):
            return pair.sample(_FOREGROUND, 3, self.max_pixels, read=self._mask)
        sample = replace(pair, mask=None).sample(None, 3, self.max_pixels)
        mask = torch.from_numpy(foreground(_stacked(pair, sample.size, self.max_pixels), self.separate))
        return replace(sample, mask=tv_tensors.Mask(mask))

    def name(self, index: int) -> str:
        return self.pairs[index].name

    def size(self, index: int) -> tuple[int, int]:
        return self.pairs[index].size()

    def files(self, index: int) -> tuple[str, ...]:
        return self.pairs[index].files()

    def _mask(self, path: Path) -> np.ndarray:
        return foreground(decode.labels(path, max_pixels=self.max_pixels), self.separate)


def _numbered(folder: Path, split: str) -> list[Pair]:
    index = folder / f"{split}.txt"
    if not index.is_file():
        there = ", ".join(path.stem for path in sorted(folder.glob("*.txt")))
        raise MissingSplit(f"this copy of DSB 2018 has no split {split!r}: {index} does not exist; there are {there}")
    pairs = [Pair(name, folder / f"images/{name}.png", folder / f"instances/{name}.png") for name in lines(index)]
    return list(present(pairs, index))


def _official(folder: Path, split: str) -> list[Pair]:
    if split not in ("train", "val"):
        raise MissingSplit(f"DSB 2018 has masks for train and val only, not for {split!r}: use src.predict on it")
    found = {place.name: [_files(place / kind) for kind in ("images", "masks")] for place in _folders(folder)}
    strange = [str(folder / name) for name, (image, masks) in found.items() if len(image) != 1 or not masks]
    complain(f"{folder}: a folder holds one image in images and a file per nucleus in masks", {"otherwise": strange})
    pairs = [Pair(name, image[0], tuple(masks)) for name, (image, masks) in found.items() if len(image) == 1 and masks]
    held = round(len(pairs) / 5)
    return pairs[len(pairs) - held :] if split == "val" else pairs[: len(pairs) - held]


def _folders(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("[!.]*")) if path.is_dir()]


def _files(folder: Path) -> list[Path]:
    return [path for paths in images(folder).values() for path in paths] if folder.is_dir() else []


def _stacked(pair: Pair, size: tuple[int, int], max_pixels: int) -> np.ndarray:
    """The number of each pixel's nucleus, 0 for none; where masks overlap, of the last."""
    ids = np.zeros(size, np.int32)
    for number, path in enumerate(pair.mask, 1):
        labels = decode.labels(path, max_pixels=max_pixels)
        if labels.shape != size:
            said = f"{pair.image} is {size[0]}x{size[1]} (height x width), its mask {path} "
            raise ValueError(said + f"{labels.shape[0]}x{labels.shape[1]}: a mask needs the size of its image")
        ids[_NUCLEUS(labels, path).numpy() == 1] = number
    return ids
