"""Sequences of the Cell Tracking Challenge, from the ISBI meetings (Maška et al., 2014), as foreground."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from src.data import decode
from src.data.description import Description
from src.data.interface import MissingSplit
from src.data.layout import complain, images, located, present
from src.data.pair import Pair
from src.data.sample import Sample
from src.data.separate import foreground
from src.data.value_range import black_and_white
from src.data.values import Values

_WHAT = "the Cell Tracking Challenge"
_FOREGROUND = Values({0: 0, 1: 1})


class CellTracking:
    """Frames `01/t000.tif`, planes and not volumes, and the cells of some of them, `01_GT/SEG/man_seg000.tif`.

    Frames without a file of cells are left out. The gold truth may show only some cells of a frame, and the others
    count as background: the silver truth (`ST`), made by computer, has more of them.
    """

    def __init__(
        self,
        root: str | Path,
        split: str,
        train: Sequence[str] = ("01",),
        val: Sequence[str] = ("02",),
        truth: Literal["GT", "ST"] = "GT",
        separate: bool = True,
        value_range: Sequence[float | int] | None = None,
        max_pixels: int = decode.MAX_PIXELS,
    ) -> None:
        """List the labelled frames of a split, and read the header of the first.

        Args:
            root: of one kind of cell, such as `PhC-C2DH-U373`.
            train, val: sequences, by the names of their folders.
            truth: `GT`, drawn by people, or `ST`.
            separate: part cells that touch by a line of background, two pixels wide; without it they grow together.
            value_range: what black and white are; None: 0 to 255 or to 65535 by the type of the first frame.
            max_pixels: a larger frame is refused before it is unpacked.

        Raises:
            ValueError: another layout, a sequence in both splits, cells without a frame, floats without `value_range`.
            MissingSplit: no sequence is set apart for this split, or it is not there.
        """
        shared = sorted({*train} & {*val})
        if shared:
            raise ValueError(f"data.train and data.val both name the sequence {shared[0]}: no frame may be in both")
        names = {"train": train, "val": val}.get(split, ())
        if not names:
            raise MissingSplit(f"no sequence of {_WHAT} is set apart for {split!r}: there are data.train and data.val")
        there = [name for name in (*names, *train, *val) if (Path(root).expanduser() / name).is_dir()]
        folder = located(root, [], there[0] if there else names[0], _WHAT)
        absent = sorted({*names} - {*there})
        if absent:
            raise MissingSplit(f"data.{split} names the sequence {absent[0]}, and {folder / absent[0]} does not exist")
        self.pairs = [pair for name in names for pair in _labelled(folder, name, truth)]
        if not self.pairs:
            raise ValueError(f"{folder}: no labelled frame of {', '.join(names)} can be used")
        first = self.pairs[0].image
        self._dtype = decode.opened(first, max_pixels=max_pixels).dtype
        self.value_range = black_and_white(value_range, self._dtype, first)
        self.separate, self.max_pixels = separate, max_pixels

    def describe(self) -> Description:
        """One channel; two classes, of which cells can be counted."""
        return Description(
            fields=("image", "mask"),
            classes=("background", "cell"),
            colors=((40, 44, 60), (120, 200, 120)),
            things=("cell",),
            channels=1,
            value_range=self.value_range,
        )

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        pair = self.pairs[index]
        sample = pair.sample(_FOREGROUND, 1, self.max_pixels, read=self._mask, dtype=None)
        found = sample.image.numpy().dtype
        if found != self._dtype:
            raise ValueError(f"{pair.image} holds {found}, {self.pairs[0].image} {self._dtype}: convert one of them")
        return sample

    def name(self, index: int) -> str:
        return self.pairs[index].name

    def size(self, index: int) -> tuple[int, int]:
        return self.pairs[index].size()

    def files(self, index: int) -> tuple[str, ...]:
        return self.pairs[index].files()

    def _mask(self, path: Path) -> np.ndarray:
        return foreground(decode.labels(path, max_pixels=self.max_pixels), self.separate)


def _labelled(folder: Path, sequence: str, truth: str) -> list[Pair]:
    """The frames whose cells are drawn, in order of time."""
    cells = folder / f"{sequence}_{truth}" / "SEG"
    files = [path for paths in images(cells).values() for path in paths] if cells.is_dir() else []
    if not files:
        raise ValueError(f"no cells are drawn for {folder / sequence}: looked for man_seg*.tif in {cells}")
    times = {path: re.fullmatch(r"man_seg(\d+)", path.stem) for path in files}
    strange = [str(path) for path, time in times.items() if time is None]
    complain(f"{cells}: a frame's cells are in man_segTIME.tif, and volumes are not read", {"others": strange})
    frames = {path: folder / sequence / f"t{time[1]}.tif" for path, time in times.items() if time}
    pairs = [Pair(f"{sequence}/{frame.stem}", frame, path) for path, frame in frames.items()]
    return list(present(sorted(pairs, key=lambda pair: (len(pair.name), pair.name)), cells))
