"""Nuclei of the 2018 Data Science Bowl, in many kinds of microscopy (Caicedo et al., 2019)."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool
from torchvision import tv_tensors

from src.data import decode
from src.data.box import box
from src.data.description import Description
from src.data.held_out import last_fifth
from src.data.interface import MissingSplit
from src.data.layout import complain, images, lines, located, present
from src.data.numbered import numbered
from src.data.pair import Pair
from src.data.runs import drawn, runs
from src.data.sample import Instances, Sample
from src.data.separate import foreground
from src.data.values import Values

_STAGE, _TABLE = "stage1_train", "stage1_train_labels.csv"
_FOREGROUND, _NUCLEUS = Values({0: 0, 1: 1}), Values({0: 0, 255: 1})


class DSB2018:
    """The Bowl's own layout, or images in one folder with lists of their names.

    The former is `stage1_train/NAME/{images,masks}/*.png` with a mask per nucleus, where the split val is the last
    fifth of the names, which are hashes; the latter `images/NAME.png`, `instances/NAME.png` with a number per nucleus,
    and `train.txt`, `val.txt`. In either, `stage1_train_labels.csv` with run lengths stands for masks that are absent.
    """

    def __init__(
        self, root: str | Path, split: str, separate: bool = True, max_pixels: int = decode.MAX_PIXELS
    ) -> None:
        """List the images of a split, and read the table if the nuclei are there.

        Args:
            separate: in the class map, part nuclei that touch by a line of background, two pixels wide; without it they
                grow together. The objects keep all of their pixels.
            max_pixels: a larger image is refused before it is unpacked.

        Raises:
            ValueError: another layout, files that are listed and not there, or images without nuclei.
            MissingSplit: there is no list of this split, or no masks for it.
        """
        place = Path(root).expanduser()
        tabled = (place / _TABLE).is_file()
        listed = (place / "instances").is_dir() or (tabled and not (place / _STAGE).is_dir())
        needed = _STAGE if not listed else "images" if tabled else "instances"
        folder = located(root, [], needed, "DSB 2018")
        self.pairs = _listed(folder, split) if listed else _official(folder / _STAGE, split, tabled)
        self.max_pixels, self.separate, self.table = max_pixels, separate, folder / _TABLE
        self.runs = runs(self.table) if any(pair.mask is None for pair in self.pairs) else {}
        lost = {pair.name: str(pair.image) for pair in self.pairs if pair.mask is None and pair.name not in self.runs}
        complain(f"{self.table}: each image has a row for each of its nuclei", {"without a row": list(lost.values())})
        self.pairs = [pair for pair in self.pairs if pair.name not in lost]

    def describe(self) -> Description:
        """Two classes, of which nuclei can be counted."""
        return Description(
            fields=("image", "mask", "instances"),
            classes=("background", "nucleus"),
            colors=((40, 44, 60), (240, 190, 60)),
            things=("nucleus",),
        )

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        pair = self.pairs[index]
        if isinstance(pair.mask, Path):
            ids = decode.labels(pair.mask, max_pixels=self.max_pixels)
            sample = pair.sample(_FOREGROUND, 3, self.max_pixels, read=lambda _: foreground(ids, self.separate))
            return replace(sample, instances=numbered(ids, {number: 1 for number in np.unique(ids).tolist() if number}))
        sample = replace(pair, mask=None).sample(None, 3, self.max_pixels)
        masks = self._drawn(pair, sample.size) if pair.mask is None else _read(pair, sample.size, self.max_pixels)
        ids = np.zeros(sample.size, np.int32)
        for number, mask in enumerate(masks, 1):
            ids[mask] = number  # where masks overlap, of the last
        there = tv_tensors.Mask(torch.from_numpy(foreground(ids, self.separate)))
        return replace(sample, mask=there, instances=_objects(masks))

    def name(self, index: int) -> str:
        return self.pairs[index].name

    def size(self, index: int) -> tuple[int, int]:
        return self.pairs[index].size()

    def files(self, index: int) -> tuple[str, ...]:
        files = self.pairs[index].files()
        return files if self.pairs[index].mask else (*files, str(self.table))

    def _drawn(self, pair: Pair, size: tuple[int, int]) -> Bool[np.ndarray, "n h w"]:
        masks = np.zeros((len(self.runs[pair.name]), *size), bool)
        for mask, encoded in zip(masks, self.runs[pair.name], strict=True):
            try:
                mask[:] = drawn(encoded, size)
            except ValueError as error:
                raise ValueError(f"{self.table}: a nucleus of {pair.name} cannot be drawn: {error}") from error
        return masks


def _listed(folder: Path, split: str) -> list[Pair]:
    index = folder / f"{split}.txt"
    if not index.is_file():
        there = ", ".join(path.stem for path in sorted(folder.glob("*.txt")))
        raise MissingSplit(f"this copy of DSB 2018 has no split {split!r}: {index} does not exist; there are {there}")
    numbers = (folder / "instances").is_dir()
    masks = {name: folder / f"instances/{name}.png" if numbers else None for name in lines(index)}
    return list(present([Pair(name, folder / f"images/{name}.png", mask) for name, mask in masks.items()], index))


def _official(folder: Path, split: str, tabled: bool) -> list[Pair]:
    if split not in ("train", "val"):
        raise MissingSplit(f"DSB 2018 has masks for train and val only, not for {split!r}: use src.predict on it")
    found = {place.name: [_files(place / kind) for kind in ("images", "masks")] for place in _folders(folder)}
    whole = {name: len(image) == 1 and bool(masks or tabled) for name, (image, masks) in found.items()}
    strange = [str(folder / name) for name in found if not whole[name]]
    complain(f"{folder}: a folder holds one image in images and a file per nucleus in masks", {"otherwise": strange})
    pairs = [Pair(name, image[0], tuple(masks) or None) for name, (image, masks) in found.items() if whole[name]]
    return pairs[last_fifth(len(pairs), split)]


def _folders(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.glob("[!.]*")) if path.is_dir()]


def _files(folder: Path) -> list[Path]:
    return [path for paths in images(folder).values() for path in paths] if folder.is_dir() else []


def _read(pair: Pair, size: tuple[int, int], max_pixels: int) -> Bool[np.ndarray, "n h w"]:
    masks = np.zeros((len(pair.mask), *size), bool)
    for mask, path in zip(masks, pair.mask, strict=True):
        labels = decode.labels(path, max_pixels=max_pixels)
        if labels.shape != size:
            said = f"{pair.image} is {size[0]}x{size[1]} (height x width), its mask {path} "
            raise ValueError(said + f"{labels.shape[0]}x{labels.shape[1]}: a mask needs the size of its image")
        mask[:] = _NUCLEUS(labels, path).numpy() == 1
    return masks


def _objects(masks: Bool[np.ndarray, "n h w"]) -> Instances:
    """Those of which a pixel is there."""
    masks = masks[masks.any((1, 2))]
    return Instances(
        boxes=torch.tensor([box(mask) for mask in masks], dtype=torch.float32).reshape(-1, 4),
        labels=torch.ones(len(masks), dtype=torch.int64),
        masks=torch.from_numpy(masks),
    )
