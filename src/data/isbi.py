"""The ISBI 2012 challenge: membranes of neurons in electron microscopy (Arganda-Carreras et al., 2015)."""

from pathlib import Path

from src.data import decode
from src.data.description import Description
from src.data.held_out import last_fifth
from src.data.interface import MissingSplit
from src.data.layout import located, matched
from src.data.pair import Pair
from src.data.sample import Sample
from src.data.values import Values

_VALUES = Values({0: 0, 255: 1})
_VOLUMES = ("train-volume.tif", "train-labels.tif")


class ISBI:
    """Slices as PNG in `train/image` and `train/label`, or the challenge's own two volumes of 30 pages.

    The split val is the last fifth of the labelled slices, train the others: slices are neighbours in one block of
    tissue, so that a random split would show the network almost what it is tested on. The test slices have no labels.
    """

    def __init__(self, root: str | Path, split: str, max_pixels: int = decode.MAX_PIXELS) -> None:
        """List the slices of a split.

        Args:
            max_pixels: a larger image is refused before it is unpacked.

        Raises:
            ValueError: another layout, slices without a label, or labels without a slice.
            MissingSplit: any split but train and val.
        """
        volume = (Path(root).expanduser() / _VOLUMES[0]).is_file()
        folder = located(root, [], _VOLUMES[1] if volume else "train/label", "ISBI 2012")
        if split not in ("train", "val"):
            raise MissingSplit(f"ISBI 2012 has labels for train and val only, not for {split!r}: use src.predict on it")
        pairs = _pages(folder) if volume else _slices(folder)
        self.pairs, self.max_pixels = pairs[last_fifth(len(pairs), split)], max_pixels

    def describe(self) -> Description:
        """Two classes, one channel."""
        return Description(
            fields=("image", "mask"), classes=("membrane", "cell"), colors=((220, 50, 50), (235, 235, 235)), channels=1
        )

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> Sample:
        return self.pairs[index].sample(_VALUES, 1, self.max_pixels)

    def name(self, index: int) -> str:
        return self.pairs[index].name

    def size(self, index: int) -> tuple[int, int]:
        return self.pairs[index].size()

    def files(self, index: int) -> tuple[str, ...]:
        return self.pairs[index].files()


def _pages(folder: Path) -> list[Pair]:
    image, label = (folder / name for name in _VOLUMES)
    return [Pair(f"{image.stem}/{page}", image, label, page) for page in range(decode.pages(image))]


def _slices(folder: Path) -> list[Pair]:
    """In the order of the block; the files are named by number."""
    pairs = matched(folder / "train/image", folder / "train/label")
    return sorted(pairs, key=lambda pair: (len(pair.name), pair.name))
