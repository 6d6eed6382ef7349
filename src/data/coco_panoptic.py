"""COCO's things and stuff as a class map, and its things one by one: panoptic segmentation (Kirillov et al., 2019)."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int32, UInt8

from src.data import decode
from src.data.coco_index import COCOIndex
from src.data.color import distinct
from src.data.description import UNKNOWN, Description
from src.data.layout import complain, present
from src.data.numbered import numbered
from src.data.sample import Instances, Sample
from src.data.segments import classes, segments
from src.data.values import Values

_VALUES = Values({index: index for index in range(UNKNOWN + 1)})  # the PNG's ids are classes already


class COCOPanoptic:
    """Every pixel is of a thing or of stuff; what is not labelled (id 0), and a crowd, is unknown."""

    def __init__(self, root: str | Path, split: str, year: int = 2017, max_pixels: int = decode.MAX_PIXELS) -> None:
        """Read the annotation file of a split.

        Args:
            root: holds `train2017`, `val2017`, `annotations/panoptic_*.json` and beside each its folder of PNGs, or a
                folder `coco` that does.
            year: of the release.
            max_pixels: a larger image is refused before it is unpacked.

        Raises:
            ValueError: another layout, images or PNGs that are not there, annotations of an unknown image or category.
            MissingSplit: there are no annotations of this split.
        """
        index = COCOIndex.official(root, split, year, "panoptic")
        said, folder = index.annotations, index.path.with_suffix("")
        several = [f"{pair.image} has {len(said[pair.name])}" for pair in index.pairs if len(said[pair.name]) != 1]
        complain(f"{index.path}: one annotation per image was expected", {"with another number": several})
        single = [(pair, said[pair.name][0]) for pair in index.pairs if len(said[pair.name]) == 1]
        self.pairs = present([replace(pair, mask=folder / one["file_name"]) for pair, one in single], index.path)
        self.index, self.max_pixels = index, max_pixels
        self._class = {key: place for place, key in enumerate(index.categories)}

    def describe(self) -> Description:
        """The file's categories in order of their ids; no background, for there is none."""
        names = self.index.categories
        things = tuple(name for key, name in names.items() if key in self.index.things)
        return Description(("image", "mask", "instances"), tuple(names.values()), distinct(len(names)), things)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        pair = self.pairs[index]
        said = self.index.annotations[pair.name][0]["segments_info"]
        ids = segments(pair.mask, [one["id"] for one in said], self.index.path, self.max_pixels)
        sample = pair.sample(_VALUES, 3, self.max_pixels, read=lambda _: self._classes(ids, said))
        return replace(sample, instances=self._things(ids, said))

    def _classes(self, ids: Int32[np.ndarray, "h w"], said: list[dict[str, Any]]) -> UInt8[np.ndarray, "h w"]:
        return classes(ids, {one["id"]: self._class[one["category_id"]] for one in said if not one.get("iscrowd")})

    def _things(self, ids: Int32[np.ndarray, "h w"], said: list[dict[str, Any]]) -> Instances:
        """The segments that are objects, crowds among them."""
        objects = [one for one in said if one["category_id"] in self.index.things]
        found = numbered(ids, {one["id"]: self._class[one["category_id"]] for one in objects})
        crowd = torch.tensor([bool(one.get("iscrowd")) for one in objects], dtype=torch.bool)
        return replace(found, crowd=crowd, areas=found.masks.sum((1, 2), dtype=torch.float32))

    def name(self, index: int) -> str:
        return self.pairs[index].name

    def size(self, index: int) -> tuple[int, int]:
        return self.pairs[index].size()

    def files(self, index: int) -> tuple[str, ...]:
        return (*self.pairs[index].files(), str(self.index.path))
