"""Which of somebody's image and mask files belong to a split: by a table, by folders, by lists, or by a fraction."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from src.data.held_out import rank
from src.data.interface import MissingSplit
from src.data.layout import complain, images, lines, matched, present
from src.data.pair import Pair

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Listing:
    """Where the files are and how they are split; `pairs` finds those of a split."""

    root: Path
    images: str = "images"
    masks: str | None = "masks"
    csv: str | None = None
    lists: str | None = None
    val_fraction: float = 0.2
    test_fraction: float = 0.0
    split_seed: int = 0
    classes: Sequence[str] | None = None  # folders of masks that overlap, one a class

    def pairs(self, split: str) -> list[Pair]:
        """The files of a split, in order of names.

        Raises:
            ValueError: folders, files or names that are not there, or that do not match: all of them.
            MissingSplit: nothing was set apart for this split.
        """
        if self.csv:
            return self._by_table(split)
        if _inside(self.root, self.images, "train").is_dir():
            return self._by_folder(split)
        pairs = self._all(self._folder(self.images), None if self.masks is None else self._folder(self.masks))
        lists = self.root / (self.lists or "")
        if self.lists or (lists / "train.txt").is_file():
            return _named(pairs, lists / f"{split}.txt")
        return self._by_fraction(pairs, split)

    def common(self) -> list[Path]:
        """The same images whatever the split, in order: what the files have in common is read off the first header."""
        if self.csv:
            return [pair.image for pair, _ in self._table()]
        folder = _inside(self.root, self.images, "train")
        found = images(folder if folder.is_dir() else self._folder(self.images))
        if not found:
            raise ValueError(f"there is no image in {self.root / self.images}")
        return [found[name][0] for name in sorted(found)]

    def beside(self, name: str, split: str) -> Path:
        """The folder of that name which goes with the images of a split."""
        by_folder = _inside(self.root, self.images, "train").is_dir()
        return _inside(self.root, name, split) if by_folder else self.root / name

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        if not folder.is_dir():
            raise ValueError(
                f"{folder} is no folder: say data.root, data.images and data.masks (null: none), or data.csv"
            )
        return folder

    def _all(self, folder: Path, masks: Path | None) -> list[Pair]:
        if masks is None:
            found = images(folder)
            twice = [str(path) for paths in found.values() if len(paths) > 1 for path in paths]
            complain(f"images in {folder} are ambiguous", {"of the same name": twice})
            return [Pair(name, paths[0]) for name, paths in sorted(found.items())]
        return matched(folder, masks if self.classes is None else [masks / name for name in self.classes])

    def _by_folder(self, split: str) -> list[Pair]:
        folder = _inside(self.root, self.images, split)
        if not folder.is_dir():
            raise MissingSplit(f"there is no split {split!r}: {folder} does not exist")
        masks = None if self.masks is None else _inside(self.root, self.masks, split)
        if masks is not None and not masks.is_dir():
            raise ValueError(f"{folder} holds images, but there is no {masks} with their masks")
        return self._all(folder, masks)

    def _by_table(self, split: str) -> list[Pair]:
        rows = self._table()
        if rows[0][1] is None:
            return self._by_fraction([pair for pair, _ in rows], split)
        pairs = [pair for pair, of in rows if of == split]
        if not pairs:
            raise MissingSplit(f"{self.csv} has no row whose split is {split!r}")
        return pairs

    def _table(self) -> list[tuple[Pair, str | None]]:
        """Rows in order of names, with their split."""
        path = self.root / str(self.csv)
        if not path.is_file():
            raise ValueError(f"data.csv={path} does not exist")
        reader = csv.DictReader(lines(path))
        if not {"image", "mask"} <= set(reader.fieldnames or ()):
            raise ValueError(f"{path} has the columns {reader.fieldnames}: it needs image and mask, and may have split")
        table = list(enumerate(reader, 2))
        blank = [f"line {line}" for line, row in table if not row["image"] or not row["mask"]]
        complain(f"{path} cannot be used", {"where image or mask is empty": blank})
        rows = [(self._row(row), row.get("split")) for _, row in table if row["image"] and row["mask"]]
        if not rows:
            raise ValueError(f"{path} has no rows")
        wrong = sorted({str(split) for _, split in rows if split is not None and split not in SPLITS})
        names = [pair.name for pair, _ in rows]
        twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
        complain(f"{path} cannot be used", {f"splits that are none of {SPLITS}": wrong, "images named twice": twice})
        there = {pair.name for pair in present([pair for pair, _ in rows], path)}
        return sorted((row for row in rows if row[0].name in there), key=lambda row: row[0].name)

    def _row(self, row: dict[str, str]) -> Pair:
        name = Path(row["image"]).with_suffix("")
        below = name.relative_to(name.anchor) if name.is_absolute() else name
        return Pair(below.as_posix(), self.root / row["image"], self.root / row["mask"])

    def _by_fraction(self, pairs: list[Pair], split: str) -> list[Pair]:
        """By the rank of a hash of seed and name: the same files on every machine, and new files move few others."""
        if min(self.val_fraction, self.test_fraction) < 0 or self.val_fraction + self.test_fraction >= 1:
            raise ValueError(f"val_fraction={self.val_fraction} and test_fraction={self.test_fraction} leave no train")
        ranked = sorted(pairs, key=lambda pair: rank(f"{self.split_seed}/{pair.name}"))
        test, val = (
            max(1, round(len(pairs) * part)) if part else 0 for part in (self.test_fraction, self.val_fraction)
        )
        parts = {"test": ranked[:test], "val": ranked[test : test + val], "train": ranked[test + val :]}
        if not parts.get(split):
            raise MissingSplit(f"no images are set apart for {split!r}: {len(pairs)} in all, data.{split}_fraction")
        return sorted(parts[split], key=lambda pair: pair.name)


def _inside(root: Path, name: str, split: str) -> Path:
    """images/train or, as others have it, train/images."""
    other = root / split / name
    return other if other.is_dir() and not Path(name).is_absolute() else root / name / split


def _named(pairs: list[Pair], index: Path) -> list[Pair]:
    if not index.is_file():
        raise MissingSplit(f"there is no list of this split: {index} does not exist")
    by_name = {pair.name: pair for pair in pairs}
    names = {line if line in by_name else Path(line).with_suffix("").as_posix() for line in lines(index)}
    complain(f"{index} names what is not there", {"unknown names": sorted(names - by_name.keys())})
    return [by_name[name] for name in sorted(names & by_name.keys())]
