"""PASCAL VOC 2012 segmentation (Everingham et al., 2015), on request with SBD's masks (Hariharan et al., 2011)."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from src.data import decode
from src.data.description import UNKNOWN, Description
from src.data.interface import MissingSplit
from src.data.layout import lines, located, present
from src.data.pair import Pair
from src.data.sample import Sample
from src.data.values import Values
from src.data.voc_download import download as fetch
from src.data.voc_objects import beside, matlab, objects

CLASSES = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
_VALUES = Values({**{index: index for index in range(len(CLASSES))}, 255: UNKNOWN})
_LISTS = "ImageSets/Segmentation"


class VOC:
    """The official layout: `JPEGImages`, `SegmentationClass`, `ImageSets/Segmentation/{train,val,trainval}.txt`.

    It has instances where all of its class maps have objects beside them: `SegmentationObject`, and `inst` of SBD.
    """

    def __init__(
        self,
        root: str | Path,
        split: str,
        sbd: str | Path | None = None,
        download: bool = False,
        max_pixels: int = decode.MAX_PIXELS,
    ) -> None:
        """Read the list of a split.

        Args:
            root: VOC2012, VOCdevkit, or the folder that holds it.
            sbd: SBD's `benchmark_RELEASE`, or its `dataset`: train becomes VOC's train and all of SBD, without VOC's
                val; where both label an image, VOC's mask counts.
            download: fetch the official archive (2 GB) into `root` if it is not there.
            max_pixels: a larger image is refused before it is unpacked.

        Raises:
            ValueError: another layout, files that are listed and not there, or a download that failed.
            MissingSplit: there is no list of this split.
        """
        if download:
            fetch(Path(root).expanduser())
        folder = located(root, ["VOC2012", "VOCdevkit/VOC2012"], _LISTS, "PASCAL VOC 2012")
        index = folder / _LISTS / f"{split}.txt"
        if split == "test" or not index.is_file():
            there = ", ".join(path.stem for path in sorted(index.parent.glob("*.txt")))
            raise MissingSplit(f"VOC 2012 has no labels for the split {split!r} in {index.parent}; there are {there}")
        names = _names(index)
        self.pairs = [_pair(folder, name) for name in names]
        if sbd is not None and split == "train":
            left_out = {*names, *_names(index.with_name("val.txt"))}
            self.pairs += _sbd(located(sbd, ["dataset"], "cls", "SBD"), left_out)
        self.counted = all(folder.is_dir() for folder in {beside(pair.mask).parent for pair in self.pairs})
        if self.counted:
            drawn = {pair.name for pair in present([Pair(p.name, beside(p.mask)) for p in self.pairs], index)}
            self.pairs = [pair for pair in self.pairs if pair.name in drawn]
        self.pairs, self.max_pixels = present(self.pairs, index), max_pixels

    def describe(self) -> Description:
        """Background and 20 classes, all of which are things."""
        colors = tuple(color(index) for index in range(len(CLASSES)))
        fields = ("image", "mask", "instances") if self.counted else ("image", "mask")
        return Description(fields=fields, classes=CLASSES, colors=colors, things=CLASSES[1:])

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        pair = self.pairs[index]
        read = partial(matlab, name="GTcls") if pair.mask.suffix == ".mat" else None
        sample = pair.sample(_VALUES, 3, self.max_pixels, read=read)
        if not self.counted:
            return sample
        return replace(sample, instances=objects(beside(pair.mask), sample.mask.numpy(), self.max_pixels))

    def name(self, index: int) -> str:
        return self.pairs[index].name

    def size(self, index: int) -> tuple[int, int]:
        return self.pairs[index].size()

    def files(self, index: int) -> tuple[str, ...]:
        files = self.pairs[index].files()
        return (*files, str(beside(self.pairs[index].mask))) if self.counted else files


def _names(index: Path) -> list[str]:
    return " ".join(lines(index)).split()


def _pair(folder: Path, name: str) -> Pair:
    return Pair(name, folder / "JPEGImages" / f"{name}.jpg", folder / "SegmentationClass" / f"{name}.png")


def _sbd(folder: Path, left_out: set[str]) -> list[Pair]:
    names = {name for split in ("train", "val") for name in _names(folder / f"{split}.txt")}
    return [
        Pair(name, folder / "img" / f"{name}.jpg", folder / "cls" / f"{name}.mat") for name in sorted(names - left_out)
    ]


def color(index: int) -> tuple[int, int, int]:
    """The devkit's palette: bits 0, 3, 6 of the class are the highest of red, bits 1, 4, 7 of green, 2, 5 of blue."""
    red, green, blue = (
        sum((index >> (3 * digit + channel) & 1) << (7 - digit) for digit in range(3)) for channel in range(3)
    )
    return red, green, blue
