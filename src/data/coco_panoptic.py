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
        segments = self.index.annotations[pair.name][0]["segments_info"]
        ids = self._ids(pair.mask, segments)
        sample = pair.sample(_VALUES, 3, self.max_pixels, read=lambda _: self._classes(ids, segments))
        return replace(sample, instances=self._things(ids, segments))

    def _ids(self, path: Path, segments: list[dict[str, Any]]) -> Int32[np.ndarray, "h w"]:
        """Which segment each pixel is of, as the PNG's colors spell it (red is the lowest digit)."""
        color = decode.labels(path, colored=True, max_pixels=self.max_pixels).astype(np.int32)
        ids = color @ np.array([1, 256, 256**2], np.int32)
        drawn, listed = set(np.unique(ids).tolist()) - {0}, {one["id"] for one in segments}
        if len(listed) < len(segments):
            raise ValueError(f"{self.index.path} lists two segments of one id for {path}")
        if strangers := sorted(drawn - listed):
            raise ValueError(f"{path} holds segments {strangers[:5]}, which {self.index.path} does not list for it")
        if missing := sorted(listed - drawn):
            raise ValueError(f"{path} lacks segments {missing[:5]}, which {self.index.path} lists for it")
        return ids

    def _classes(self, ids: Int32[np.ndarray, "h w"], segments: list[dict[str, Any]]) -> UInt8[np.ndarray, "h w"]:
        meant = {one["id"]: UNKNOWN if one.get("iscrowd") else self._class[one["category_id"]] for one in segments}
        known, place = np.unique(ids, return_inverse=True)
        return np.array([meant.get(one, UNKNOWN) for one in known.tolist()], np.uint8)[place].reshape(ids.shape)

    def _things(self, ids: Int32[np.ndarray, "h w"], segments: list[dict[str, Any]]) -> Instances:
        """The segments that are objects, crowds among them."""
        objects = [one for one in segments if one["category_id"] in self.index.things]
        found = numbered(ids, {one["id"]: self._class[one["category_id"]] for one in objects})
        crowd = torch.tensor([bool(one.get("iscrowd")) for one in objects], dtype=torch.bool)
        return replace(found, crowd=crowd, areas=found.masks.sum((1, 2), dtype=torch.float32))

    def name(self, index: int) -> str:
        return self.pairs[index].name

    def size(self, index: int) -> tuple[int, int]:
        return self.pairs[index].size()

    def files(self, index: int) -> tuple[str, ...]:
        return (*self.pairs[index].files(), str(self.index.path))
