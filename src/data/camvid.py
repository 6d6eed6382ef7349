"""CamVid, road scenes in 11 classes (Brostow et al., 2009), in the split and size of SegNet's authors."""

from pathlib import Path

from src.data import decode
from src.data.description import UNKNOWN, Description
from src.data.interface import MissingSplit
from src.data.layout import complain, lines, located, present
from src.data.pair import Pair
from src.data.sample import Sample
from src.data.values import Values

CLASSES = {
    "sky": (128, 128, 128),
    "building": (128, 0, 0),
    "pole": (192, 192, 128),
    "road": (128, 64, 128),
    "pavement": (0, 0, 192),
    "tree": (128, 128, 0),
    "sign": (192, 128, 128),
    "fence": (64, 64, 128),
    "car": (64, 0, 128),
    "pedestrian": (64, 64, 0),
    "bicyclist": (0, 128, 192),
}
THINGS = ("pole", "sign", "car", "pedestrian", "bicyclist")
_VALUES = Values({**{index: index for index in range(len(CLASSES))}, 11: UNKNOWN})


class CamVid:
    """Folders `train trainannot val valannot ...` and lists `train.txt val.txt ...` of pairs of files."""

    def __init__(self, root: str | Path, split: str, max_pixels: int = decode.MAX_PIXELS) -> None:
        """Read the list of a split.

        Args:
            root: holds the lists, or a folder `CamVid` that does. The lists name files relative to where they are,
                or as the authors wrote them, under `/SegNet/CamVid`.
            max_pixels: a larger image is refused before it is unpacked.

        Raises:
            ValueError: another layout, or a list that names files that do not exist.
            MissingSplit: there is no list of this split.
        """
        folder = located(root, ["CamVid"], "train.txt", "CamVid")
        index = folder / f"{split}.txt"
        if not index.is_file():
            there = ", ".join(path.stem for path in sorted(folder.glob("*.txt")))
            raise MissingSplit(f"this copy of CamVid has no split {split!r}: {index} does not exist; there are {there}")
        self.pairs, self.max_pixels = present(_pairs(folder, index), index), max_pixels

    def describe(self) -> Description:
        """11 classes."""
        return Description(
            fields=("image", "mask"), classes=tuple(CLASSES), colors=tuple(CLASSES.values()), things=THINGS
        )

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


def _pairs(folder: Path, index: Path) -> list[Pair]:
    rows = [line.split() for line in lines(index)]
    strange = [" ".join(row) for row in rows if len(row) != 2]
    complain(f"{index}: a line holds an image and its mask", {"of another kind": strange})
    # of the paths, the folder and the file: the rest is where they stood once
    places = [["/".join(Path(part).parts[-2:]) for part in row] for row in rows if len(row) == 2]
    return [Pair(Path(image).with_suffix("").as_posix(), folder / image, folder / mask) for image, mask in places]
