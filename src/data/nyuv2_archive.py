"""NYU Depth v2's own archive, MATLAB's format 7.3, which is HDF5 (Silberman et al., 2012)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
import torch
from scipy.io import loadmat
from torchvision import tv_tensors

from src.data.description import UNKNOWN
from src.data.field import Depth
from src.data.held_out import held_out
from src.data.interface import MissingSplit
from src.data.sample import Sample

ARCHIVE = "nyu_depth_v2_labeled.mat"
_SPLITS, _CLASSES = "splits.mat", "classMapping40.mat"  # beside it
_DEPTHS = {"filled": "depths", "raw": "rawDepths"}
_NEEDED = ("images", "depths", "rawDepths", "labels", "scenes")


class NYUv2Archive:
    """`nyu_depth_v2_labeled.mat`, with `splits.mat` and perhaps `classMapping40.mat` beside it."""

    has_normals = coarse = False

    def __init__(self, path: Path, split: str, depth: Literal["filled", "raw"], val_fraction: float | int) -> None:
        """Read which pictures are a split's.

        Args:
            depth: as of `NYUv2`, and so is `val_fraction`.

        Raises:
            ValueError: a file is damaged or not there, or an argument is none.
            MissingSplit: there is no such split.
        """
        if not 0 <= val_fraction < 1:
            raise ValueError(f"data.val_fraction={val_fraction}: a share of the training scenes, from 0 to below 1")
        self.path, self._depth = path, _DEPTHS[depth]
        with _opened(path) as file:
            absent = [key for key in _NEEDED if key not in file]
            if absent:
                raise ValueError(f"it has no {', '.join(absent)}: is it the labelled data set?")
            _, _, width, height = file["images"].shape
            scenes = [file[reference][()].tobytes().decode("utf-16-le") for reference in file["scenes"][0]]
        self._size = (int(height), int(width))
        self._chosen = _split(path, split, scenes, val_fraction)
        self.names = [f"{index + 1:04d}" for index in self._chosen]
        mapping = path.with_name(_CLASSES)
        self.has_labels = mapping.is_file()
        self._table = _table(mapping) if self.has_labels else None

    def sample(self, index: int) -> Sample:
        """One picture, with the 40 classes."""
        place = self._chosen[index]
        with _opened(self.path) as file:
            image, depth = file["images"][place].swapaxes(1, 2), file[self._depth][place].T
            labels = file["labels"][place].T
        depth = np.ascontiguousarray(depth, np.float32)
        wrong = ~(np.isfinite(depth) & (depth >= 0))
        if wrong.any():
            raise ValueError(f"{self.path}: picture {place + 1} has the depth {depth[wrong][0]}: is the file damaged?")
        return Sample(
            image=tv_tensors.Image(torch.from_numpy(np.ascontiguousarray(image))),
            mask=None if self._table is None else tv_tensors.Mask(torch.from_numpy(self._table[labels])),
            depth=Depth(torch.from_numpy(depth)[None]),
            name=self.names[index],
            size=self._size,
        )

    def size(self, index: int) -> tuple[int, int]:
        """Height and width, the same for all."""
        return self._size

    def files(self, index: int) -> tuple[str, ...]:
        """The archive, and the class map."""
        return (str(self.path), *([str(self.path.with_name(_CLASSES))] if self.has_labels else []))


def _split(path: Path, split: str, scenes: list[str], val_fraction: float | int) -> list[int]:
    """The pictures' numbers from 0 on."""
    beside = path.with_name(_SPLITS)
    if not beside.is_file():
        raise ValueError(f"{beside} is not there: it is published with the archive and says which pictures are test")
    with _opened(beside, loadmat) as file:
        train, test = (sorted(int(number) - 1 for number in file[key].ravel()) for key in ("trainNdxs", "testNdxs"))
    if max(train + test) >= len(scenes):
        raise ValueError(f"{beside} names picture {max(train + test) + 1}, {path} has {len(scenes)}")
    if split == "test":
        return test
    held = held_out(sorted({scenes[index] for index in train}), val_fraction) if val_fraction else frozenset()
    if split not in ("train", "val") or (split == "val" and not held):
        raise MissingSplit(f"NYU Depth v2 has the splits train, test and val (data.val_fraction), not {split!r}")
    return [index for index in train if (scenes[index] in held) == (split == "val")]


def _table(path: Path) -> np.ndarray:
    """The index among the 40 classes of each label of the archive, 0 being what nobody labelled."""
    with _opened(path, loadmat) as file:
        classes = file["mapClass"].ravel().astype(np.int64)
        if classes.min() < 1 or classes.max() > 40:
            raise ValueError(f"its mapClass holds {classes.min()} to {classes.max()}, where 1 to 40 are classes")
    table = np.full(1 << 16, UNKNOWN, np.uint8)
    table[1 : len(classes) + 1] = classes - 1
    return table


@contextmanager
def _opened(path: Path, how=h5py.File) -> Iterator:
    """A damaged file makes its reader raise nearly anything: whatever it is, file and reason get named."""
    file = None
    try:
        file = how(path)
        yield file
    except MissingSplit:
        raise
    except Exception as error:
        said = str(error) if isinstance(error, ValueError) else f"{error!r}: damaged, or not completely copied?"
        raise ValueError(f"{path} cannot be read: {said}") from error
    finally:
        if isinstance(file, h5py.File):
            file.close()
