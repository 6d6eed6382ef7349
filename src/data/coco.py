"""COCO's objects, one by one and as a class map (Lin et al., 2014)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import UInt8
from torchvision import tv_tensors

from src.data import decode, voc
from src.data.coco_index import COCOIndex
from src.data.coco_objects import objects
from src.data.color import distinct
from src.data.description import UNKNOWN, Description
from src.data.sample import Instances, Sample

_OF_VOC = {  # what COCO calls otherwise
    "airplane": "aeroplane",
    "dining table": "diningtable",
    "motorcycle": "motorbike",
    "potted plant": "pottedplant",
    "couch": "sofa",
    "tv": "tvmonitor",
}


class COCO:
    """Background and objects, in COCO's own files or in anybody's of that kind.

    In the class map the smaller of two objects that overlap is on top, and a crowd of a class is unknown; a file
    without regions gives no map. Where a category has keypoints, objects have them too.
    """

    def __init__(
        self,
        root: str | Path,
        split: str,
        annotations: Literal["instances", "person_keypoints"] = "instances",
        classes: Literal["all", "voc"] = "all",
        year: int = 2017,
        file: str | None = None,
        images: str = "",
        val_fraction: float = 0.2,
        sigmas: float | Sequence[float] | None = None,
        max_pixels: int = decode.MAX_PIXELS,
    ) -> None:
        """Read the annotation file of a split.

        Args:
            root: holds `train2017`, `val2017` and `annotations/instances_*.json`, or a folder `coco` that does.
            annotations: the official file: of all categories, or of persons with their 17 keypoints.
            classes: `all` are the file's categories, `voc` the 20 of PASCAL VOC in its order, names and colors. What
                is of another category is background then, in front of what it hides, and so is a crowd of it; it is
                no object.
            year: of the release, 2017 or 2014.
            file: anybody's own JSON, relative to `root`, in place of the official layout: `annotations/{split}.json`,
                or a single one, of whose images a part is val.
            images: folder of that file's images, relative to `root`; {split} may stand in it.
            val_fraction: of a single file's images, chosen by a hash of their names.
            sigmas: of the keypoints, one for all or one for each; None: COCO's for its 17, and 0.05 for any others.
            max_pixels: a larger image is refused before it is unpacked.

        Raises:
            ValueError: another layout, images that are not there, annotations of an unknown image or category, or two
                of one id.
            MissingSplit: there are no annotations of this split; those of the test set are not public.
        """
        if file:
            self.index = COCOIndex.own(root, split, file, images, val_fraction)
        else:
            self.index = COCOIndex.official(root, split, year, annotations)
        self.points = self.index.points.measured(sigmas)
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
        return Description(
            fields=("image", "mask", "instances") if self.index.drawn else ("image", "instances"),
            classes=self.classes,
            colors=self.colors,
            things=self.classes[1:],
            keypoints=self.points.names,
            flip_pairs=self.points.flip_pairs,
            sigmas=self.points.sigmas,
            skeleton=self.points.skeleton,
        )

    def __len__(self) -> int:
        return len(self.index.pairs)

    def __getitem__(self, index: int) -> Sample:
        pair, source = self.index.pairs[index], self.index
        sample, said = pair.sample(channels=3, max_pixels=self.max_pixels), source.sizes[pair.name]
        if sample.size != said:
            raise ValueError(
                f"{pair.image} is {sample.size[0]}x{sample.size[1]} (height x width), but {source.path} says "
                f"{said[0]}x{said[1]}: take the image that was annotated"
            )
        found = objects(source.annotations[pair.name], said, source.path, source.drawn, len(self.points.names))
        labels = torch.tensor([self._class[key] for key in found.labels.tolist()], dtype=torch.int64)
        found = replace(found, labels=labels)
        mask = tv_tensors.Mask(torch.from_numpy(_painted(found, said))) if source.drawn else None
        return replace(sample, mask=mask, instances=found if labels.all() else found.only(labels > 0))

    def name(self, index: int) -> str:
        return self.index.pairs[index].name

    def size(self, index: int) -> tuple[int, int]:
        return self.index.pairs[index].size()

    def files(self, index: int) -> tuple[str, ...]:
        return (*self.index.pairs[index].files(), str(self.index.path))


def _painted(found: Instances, size: tuple[int, int]) -> UInt8[np.ndarray, "h w"]:
    """The class map, the largest objects first."""
    mask = np.zeros(size, np.uint8)
    regions, labels, crowd = found.masks.numpy(), found.labels.tolist(), found.crowd.tolist()
    for place in sorted(range(len(found)), key=lambda place: -np.count_nonzero(regions[place])):
        mask[regions[place]] = UNKNOWN if labels[place] and crowd[place] else labels[place]
    return mask
