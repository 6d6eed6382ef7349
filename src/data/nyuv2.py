"""NYU Depth v2, indoor scenes of a Kinect in 40 or 13 classes (Silberman et al., 2012; Gupta et al., 2013)."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torchvision import tv_tensors

from src.data.camera import pinhole, scaled
from src.data.color import distinct
from src.data.description import UNKNOWN, Description
from src.data.field import VOID, Normals, kind
from src.data.nyuv2_archive import ARCHIVE, NYUv2Archive
from src.data.nyuv2_folders import NYUv2Folders
from src.data.plane_normals import plane_normals
from src.data.sample import Sample, dense, with_dense

_SIZE = (480, 640)
_CAMERA = (518.857901, 519.469611, 325.582449, 253.736166)  # of the colour camera, at that size
_FRAME = (7, 474, 8, 631)  # rows and columns within the white frame that undistorting the pictures left
_EIGEN = (45, 471, 41, 601)  # and those that depth is scored in (Eigen et al., 2014)


class NYUv2:
    """The official labelled archive, or its pictures in folders.

    - `nyu_depth_v2_labeled.mat` with `splits.mat`; class maps need `classMapping40.mat` beside it. Of the 795 official
      training pictures a share of the scenes is set apart as val; test is the official one, 654 pictures.
    - folders `images`, `depths` and perhaps `labels40` and `normals`, with `train.txt` and `val.txt` where there are
      any: see `NYUv2Folders`.

    The white frame of the pictures, and in evaluation all outside of `crop`, is unknown in every target.
    """

    def __init__(
        self,
        root: str | Path,
        split: str,
        classes: Literal[40, 13] = 40,
        depth: Literal["filled", "raw"] = "filled",
        normals: Literal["auto", "computed"] | None = "auto",
        normals_window: int | None = None,
        crop: Literal["eigen"] | None = "eigen",
        val_fraction: float | int = 0.1,
    ) -> None:
        """Find the files of a split.

        Args:
            root: the folder that holds the archive or the folders.
            classes: 40, or the 13 of Couprie et al. (2013) that these merge into.
            depth: of the archive, with its holes `filled` by the authors, or as the sensor gave it.
            normals: `auto` reads them where there is a folder of them and computes them from the depth otherwise;
                `computed` does that in any case; null has none.
            normals_window: pixels that a computed one is fitted to; null is 5, and 15 for depth of 8 bits, whose steps
                would show.
            crop: in val and test, depth, normals and labels outside of Eigen's crop are unknown; null keeps them.
            val_fraction: of the archive's training scenes, set apart as val, all pictures of a scene together.

        Raises:
            ValueError: another layout, or a share that is none.
            MissingSplit: this copy has no such split.
        """
        folder = Path(root).expanduser()
        if (folder / ARCHIVE).is_file():
            self.copy: NYUv2Archive | NYUv2Folders = NYUv2Archive(folder / ARCHIVE, split, depth, val_fraction)
        else:
            self.copy = NYUv2Folders(folder, split, with_normals=normals == "auto")
        self.computed = normals is not None and not self.copy.has_normals
        self.window, self.rough = normals_window or (15 if self.copy.coarse else 5), 0.02 if self.copy.coarse else 0.005
        self.valid = _EIGEN if crop and split != "train" else _FRAME
        self.names, self._index = _classes(classes)

    def describe(self) -> Description:
        """Image, depth and camera, normals unless they are not wanted, and the classes where there are labels."""
        normals = ("normals",) if self.computed or self.copy.has_normals else ()
        plain = Description(fields=("image", "depth", *normals, "camera"))
        if not self.copy.has_labels:
            return plain
        fields = ("image", "mask", *plain.fields[1:])
        return replace(plain, fields=fields, classes=self.names, colors=distinct(len(self.names)))

    def __len__(self) -> int:
        return len(self.copy.names)

    def __getitem__(self, index: int) -> Sample:
        sample = self.copy.sample(index)
        camera = scaled(pinhole(*_CAMERA), _SIZE, sample.size)
        normals = sample.normals
        if self.computed:
            depth = sample.depth.as_subclass(Tensor)
            normals = Normals(plane_normals(depth, camera, self.window, rough=self.rough))
        mask = None if sample.mask is None else tv_tensors.Mask(self._index[sample.mask.as_subclass(Tensor).long()])
        whole = replace(sample, mask=mask, normals=normals, camera=camera)
        return with_dense(whole, {name: self._inside(name, field) for name, field in dense(whole).items()})

    def _inside(self, name: str, field: Tensor) -> Tensor:
        """The field with all that lies outside of the valid part made unknown."""
        height, width = field.shape[-2:]
        top, bottom, left, right = self.valid
        y, x = height / _SIZE[0], width / _SIZE[1]
        rows, columns = slice(-int(-top * y // 1), int(bottom * y)), slice(-int(-left * x // 1), int(right * x))
        plain = field.as_subclass(Tensor)
        hidden = torch.full_like(plain, VOID[kind(name)])
        hidden[..., rows, columns] = plain[..., rows, columns]
        return tv_tensors.wrap(hidden, like=field) if isinstance(field, tv_tensors.TVTensor) else kind(name)(hidden)

    def name(self, index: int) -> str:
        return self.copy.names[index]

    def size(self, index: int) -> tuple[int, int]:
        return self.copy.size(index)

    def files(self, index: int) -> tuple[str, ...]:
        return self.copy.files(index)


def _classes(count: int) -> tuple[tuple[str, ...], Tensor]:
    """The names, and the index of each of the 40 and of the unknown among them."""
    with Path(__file__).with_suffix(".csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    column = "name" if count == 40 else "coarse"
    names: Sequence[str] = [row[column] for row in rows]
    chosen = tuple(names) if count == 40 else tuple(sorted(set(names)))
    table = torch.full((UNKNOWN + 1,), UNKNOWN, dtype=torch.uint8)
    table[: len(names)] = torch.tensor([chosen.index(name) for name in names], dtype=torch.uint8)
    return chosen, table
