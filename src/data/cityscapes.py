"""Cityscapes, urban scenes in 19 classes of 34 labels (Cordts et al., 2016)."""

from pathlib import Path

from src.data import decode
from src.data.description import UNKNOWN, Description
from src.data.interface import MissingSplit
from src.data.layout import complain, located, present
from src.data.pair import Pair
from src.data.sample import Sample
from src.data.values import Values

CLASSES = {  # name: the label's number in the files, color
    "road": (7, (128, 64, 128)),
    "sidewalk": (8, (244, 35, 232)),
    "building": (11, (70, 70, 70)),
    "wall": (12, (102, 102, 156)),
    "fence": (13, (190, 153, 153)),
    "pole": (17, (153, 153, 153)),
    "traffic light": (19, (250, 170, 30)),
    "traffic sign": (20, (220, 220, 0)),
    "vegetation": (21, (107, 142, 35)),
    "terrain": (22, (152, 251, 152)),
    "sky": (23, (70, 130, 180)),
    "person": (24, (220, 20, 60)),
    "rider": (25, (255, 0, 0)),
    "car": (26, (0, 0, 142)),
    "truck": (27, (0, 0, 70)),
    "bus": (28, (0, 60, 100)),
    "train": (31, (0, 80, 100)),
    "motorcycle": (32, (0, 0, 230)),
    "bicycle": (33, (119, 11, 32)),
}
THINGS = ("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle")
_IMAGE, _MASK = "_leftImg8bit.png", "_gtFine_labelIds.png"
_IGNORED = dict.fromkeys(range(34), UNKNOWN)  # what evaluation leaves out: ego vehicle, ground, parking ...
_VALUES = Values({**_IGNORED, **{label: index for index, (label, _) in enumerate(CLASSES.values())}})


class Cityscapes:
    """The official layout: `leftImg8bit/SPLIT/CITY/*_leftImg8bit.png`, `gtFine/SPLIT/CITY/*_gtFine_labelIds.png`."""

    def __init__(self, root: str | Path, split: str, max_pixels: int = decode.MAX_PIXELS) -> None:
        """List the images of a split.

        Args:
            max_pixels: a larger image is refused before it is unpacked.

        Raises:
            ValueError: another layout, images without a mask, or masks without an image.
            MissingSplit: the split is not there; of test, only dummy masks are public.
        """
        folder = located(root, ["cityscapes"], "leftImg8bit", "Cityscapes")
        images = folder / "leftImg8bit" / split
        if split == "test" or not images.is_dir():
            reason = "its masks are not public" if split == "test" else f"{images} does not exist"
            raise MissingSplit(f"Cityscapes has no split {split!r} here: {reason}; the official ones are train and val")
        masks = folder / "gtFine" / split
        here, there = _names(images, _IMAGE), _names(masks, _MASK)
        extra = [str(masks / (name + _MASK)) for name in sorted(there - here)]
        complain(f"images in {images} and masks in {masks} do not match", {"without an image": extra})
        pairs = [Pair(name, images / (name + _IMAGE), masks / (name + _MASK)) for name in sorted(here)]
        self.pairs, self.max_pixels = present(pairs, images), max_pixels

    def describe(self) -> Description:
        """19 classes."""
        colors = tuple(color for _, color in CLASSES.values())
        return Description(fields=("image", "mask"), classes=tuple(CLASSES), colors=colors, things=THINGS)

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        return self.pairs[index].sample(_VALUES, 3, self.max_pixels)

    def name(self, index: int) -> str:
        return self.pairs[index].name

    def size(self, index: int) -> tuple[int, int]:
        return self.pairs[index].size()

    def files(self, index: int) -> tuple[str, ...]:
        return self.pairs[index].files()


def _names(folder: Path, suffix: str) -> set[str]:
    return {path.relative_to(folder).as_posix().removesuffix(suffix) for path in folder.glob(f"*/*{suffix}")}
