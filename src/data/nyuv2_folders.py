"""NYU Depth v2 as picture files (Silberman et al., 2012)."""

from pathlib import Path

import numpy as np

from src.data import decode
from src.data.description import UNKNOWN
from src.data.geometry import Geometry, beside
from src.data.held_out import held_out
from src.data.interface import MissingSplit
from src.data.layout import complain, images, lines, located
from src.data.pair import Pair
from src.data.sample import Sample
from src.data.values import Values

_LABELS = Values({**{index: index for index in range(39)}, 39: UNKNOWN})
_STEPS = 25.5  # of depth of 8 bits, in a metre


class NYUv2Folders:
    """Folders `images` and `depths`, perhaps `labels40` and `normals`, one file each per picture.

    - depths: of 8 bits, metres are (v + 0.5) / 25.5 and 0 is unknown; of 16 bits, they are v / 1000.
    - labels40: the class, 0 to 38; 39 is "other prop" and what nobody labelled in one, and so it is unknown.
    - normals: see `normals_file`.
    - `train.txt` and `val.txt` list names; without them a fifth is val.
    """

    def __init__(self, root: Path, split: str, with_normals: bool) -> None:
        """List the files of a split.

        Args:
            with_normals: read normals where there are any.

        Raises:
            ValueError: another layout, or files that do not match.
            MissingSplit: there is no list of this split.
        """
        folder = located(root, (), "depths", "NYU Depth v2 (nyu_depth_v2_labeled.mat, or folders images and depths)")
        here = images(folder / "images")
        self.names = _names(folder, split, sorted(here))
        labels, normals = folder / "labels40", folder / "normals"
        self.has_labels, self.has_normals = labels.is_dir(), with_normals and normals.is_dir()
        masks = beside(self.names, labels, "labels") if self.has_labels else {}
        self._pairs = [Pair(name, here[name][0], masks.get(name)) for name in self.names]
        depths = beside(self.names, folder / "depths", "depth")
        facing = beside(self.names, normals, "normals") if self.has_normals else None
        self._geometry = Geometry(depths, facing, steps=_STEPS)
        self.coarse = decode.opened(next(iter(depths.values()))).dtype == np.uint8

    def sample(self, index: int) -> Sample:
        """One picture, with the 40 classes."""
        pair = self._pairs[index]
        return self._geometry.added(pair.sample(_LABELS, 3), pair.image)

    def size(self, index: int) -> tuple[int, int]:
        """Height and width of a picture."""
        return self._pairs[index].size()

    def files(self, index: int) -> tuple[str, ...]:
        """The files of a picture."""
        return (*self._pairs[index].files(), *self._geometry.files(self.names[index]))


def _names(folder: Path, split: str, names: list[str]) -> list[str]:
    if not names:
        raise ValueError(f"there is no image in {folder / 'images'}")
    index = folder / f"{split}.txt"
    if (folder / "train.txt").is_file():
        if not index.is_file():
            there = ", ".join(path.stem for path in sorted(folder.glob("*.txt")))
            raise MissingSplit(f"this copy of NYU Depth v2 has no {index}; there are {there}")
        listed = lines(index)
        complain(f"{index} names what is not there", {"unknown names": sorted(set(listed) - set(names))})
        return [name for name in listed if name in names]
    if split not in ("train", "val"):
        raise MissingSplit(f"{folder} has no train.txt: of its pictures a fifth is val, and none is {split}")
    held = held_out(names)
    return [name for name in names if (name in held) == (split == "val")]
