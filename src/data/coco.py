"""COCO's objects as a class map (Lin et al., 2014)."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torchvision import tv_tensors

from src.data import decode, voc
from src.data.coco_index import COCOIndex
from src.data.coco_region import region
from src.data.color import distinct
from src.data.description import UNKNOWN, Description
from src.data.sample import Sample

_OF_VOC = {  # what COCO calls otherwise
    "airplane": "aeroplane",
    "dining table": "diningtable",
    "motorcycle": "motorbike",
    "potted plant": "pottedplant",
    "couch": "sofa",
    "tv": "tvmonitor",
}


class COCO:
    """Background and objects; where objects overlap the smaller one is on top, and a crowd of a class is unknown."""

    def __init__(
        self,
        root: str | Path,
        split: str,
        classes: Literal["all", "voc"] = "all",
        year: int = 2017,
        max_pixels: int = decode.MAX_PIXELS,
    ) -> None:
        """Read the annotation file of a split.

        Args:
            root: holds `train2017`, `val2017` and `annotations/instances_*.json`, or a folder `coco` that does.
            classes: `all` are the file's categories, `voc` the 20 of PASCAL VOC in its order, names and colors. What
                is of another category is background then, in front of what it hides, and so is a crowd of it.
            year: of the release, 2017 or 2014.
            max_pixels: a larger image is refused before it is unpacked.

        Raises:
            ValueError: another layout, images that are not there, annotations of an unknown image or category.
            MissingSplit: there are no annotations of this split; those of the test set are not public.
        """
        self.index = COCOIndex.read(root, split, year, "instances")
        self.max_pixels = max_pixels
        names = self.index.categories
        if classes == "voc":
            self.classes = voc.CLASSES
            self.colors = tuple(voc.color(index) for index in range(len(voc.CLASSES)))
            theirs = {key: _OF_VOC.get(name, name) for key, name in names.items()}
            self._class = {key: self.classes.index(name) if name in self.classes else 0 for key, name in theirs.items()}
        else:
            self.classes = ("background", *names.values())
            self.colors = ((0, 0, 0), *distinct(len(names)))
            self._class = {key: 1 + place for place, key in enumerate(names)}

    def describe(self) -> Description:
        """Background, and classes all of which are things."""
        return Description(("image", "mask"), self.classes, self.colors, things=self.classes[1:])

    def __len__(self) -> int:
        return len(self.index.pairs)

    def __getitem__(self, index: int) -> Sample:
        pair = self.index.pairs[index]
        sample, said = pair.sample(channels=3, max_pixels=self.max_pixels), self.index.sizes[pair.name]
        if sample.size != said:
            raise ValueError(
                f"{pair.image} is {sample.size[0]}x{sample.size[1]} (height x width), but {self.index.path} says "
                f"{said[0]}x{said[1]}: take the image that was annotated"
            )
        mask = self._mask(self.index.annotations[pair.name], said)
        return replace(sample, mask=tv_tensors.Mask(torch.from_numpy(mask)))

    def _mask(self, annotations: list[dict[str, Any]], size: tuple[int, int]) -> UInt8[np.ndarray, " h w"]:
        regions = [self._region(one, size) for one in annotations]
        mask = np.zeros(size, np.uint8)
        for place in sorted(range(len(regions)), key=lambda place: -int(regions[place].sum())):
            label = self._class[annotations[place]["category_id"]]
            mask[regions[place]] = UNKNOWN if label and annotations[place].get("iscrowd") else label
        return mask

    def _region(self, annotation: dict[str, Any], size: tuple[int, int]) -> Bool[np.ndarray, " h w"]:
        try:
            return region(annotation["segmentation"], size)
        except (ValueError, KeyError, TypeError) as error:
            said = error if isinstance(error, ValueError) else repr(error)
            raise ValueError(f"{self.index.path}: annotation {annotation.get('id')} cannot be drawn: {said}") from error

    def name(self, index: int) -> str:
        return self.index.pairs[index].name

    def size(self, index: int) -> tuple[int, int]:
        return self.index.pairs[index].size()

    def files(self, index: int) -> tuple[str, ...]:
        return (*self.index.pairs[index].files(), str(self.index.path))
