"""COCO's annotation files (Lin et al., 2014): which images there are, and what is said of each."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from src.data.coco_points import COCOPoints
from src.data.held_out import held_out
from src.data.interface import MissingSplit
from src.data.layout import complain, located, present
from src.data.pair import Pair

_Entries = list[dict[str, Any]]


@dataclass(frozen=True)
class COCOIndex:
    """One annotation file, all of whose references are in order."""

    path: Path
    categories: dict[int, str]  # name by id, in order of the ids, which are sparse
    things: frozenset[int]  # categories that are countable
    points: COCOPoints
    drawn: bool  # objects have regions, not boxes alone
    pairs: Sequence[Pair]  # images, in order of their ids
    sizes: dict[str, tuple[int, int]]  # height and width by name of the pair, as the file has them
    annotations: dict[str, _Entries]  # likewise

    @classmethod
    def official(cls, root: str | Path, split: str, year: int, kind: str) -> "COCOIndex":
        """`annotations/{kind}_{split}{year}.json`, for the images in `{split}{year}`.

        Args:
            root: holds both, or a folder `coco` that does.
            kind: `instances`, `person_keypoints` or `panoptic`.

        Raises:
            ValueError: another layout, or as of `read`.
            MissingSplit: there is no annotation file of this split.
        """
        folder = located(root, ["coco"], "annotations", "COCO")
        path = folder / "annotations" / f"{kind}_{split}{year}.json"
        if not path.is_file():
            there = ", ".join(sorted(file.name for file in path.parent.glob(f"{kind}_*.json"))) or "none"
            raise MissingSplit(f"COCO's split {split!r} needs {path}; of that kind there are: {there}")
        return cls.read(path, folder / f"{split}{year}")

    @classmethod
    def own(cls, root: str | Path, split: str, file: str, images: str, val_fraction: float) -> "COCOIndex":
        """Anybody's file, for the images in a folder; paths are relative to `root`.

        Args:
            file: with {split} in it, one for each split; without, one whose images are divided into train and val.
            images: folder; {split} may stand in it.
            val_fraction: share of the images of a single file that is the split val, by a hash of their names.

        Raises:
            ValueError: there is no such file, or as of `read`.
            MissingSplit: there is no annotation file of this split.
        """
        if not 0 < val_fraction < 1:
            raise ValueError(f"data.val_fraction={val_fraction}: a share of the images, between 0 and 1")
        path, folder = (Path(root).expanduser() / name.replace("{split}", split) for name in (file, images))
        if "{split}" in file and not path.is_file():
            there = ", ".join(sorted(other.name for other in path.parent.glob("*.json"))) or "none"
            raise MissingSplit(f"the split {split!r} needs {path}; JSON files there: {there}")
        if not path.is_file():
            raise ValueError(f"data.file={path} does not exist")
        index = cls.read(path, folder)
        return index if "{split}" in file else index._part(split, val_fraction)

    @classmethod
    def read(cls, path: Path, images: Path) -> "COCOIndex":
        """A file, for the images in a folder.

        Raises:
            ValueError: it is no such JSON, says something twice, or refers to categories or images that are not there.
        """
        try:
            content = json.loads(path.read_bytes())
            _complain_of_twins(path, content)
            categories = {one["id"]: str(one["name"]) for one in _in_order(content["categories"])}
            pairs = {one["id"]: _pair(images, one["file_name"]) for one in _in_order(content["images"])}
            said = _by_image(path, content["annotations"], pairs, categories)
            return cls(
                path,
                categories,
                things=frozenset(one["id"] for one in content["categories"] if one.get("isthing", 1)),
                points=COCOPoints.of(content["categories"], path),
                drawn=any(one.get("segmentation") for one in content["annotations"]) or not content["annotations"],
                pairs=present(list(pairs.values()), path),
                sizes={pairs[one["id"]].name: (one["height"], one["width"]) for one in content["images"]},
                annotations={pair.name: said[key] for key, pair in pairs.items()},
            )
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} cannot be read as COCO's JSON: {error!r}") from error

    def _part(self, split: str, val_fraction: float) -> "COCOIndex":
        if split not in ("train", "val"):
            raise MissingSplit(f"{self.path} is divided into train and val, there is no {split!r}: say data.file=...")
        held = held_out([pair.name for pair in self.pairs], val_fraction)
        return replace(self, pairs=[pair for pair in self.pairs if (pair.name in held) == (split == "val")])


def _in_order(entries: _Entries) -> _Entries:
    """By id; of several with one id, the last."""
    return sorted({entry["id"]: entry for entry in entries}.values(), key=lambda entry: entry["id"])


def _pair(folder: Path, name: str) -> Pair:
    return Pair(Path(name).with_suffix("").as_posix(), folder / name)


def _complain_of_twins(path: Path, content: dict[str, Any]) -> None:
    """Which of two things of one id, or name, an annotation, a class or a score means could not be told."""
    twins = [
        f"{kind} id {key}"
        for kind, entries in (("category", "categories"), ("image", "images"), ("annotation", "annotations"))
        for key in _several(one["id"] for one in content[entries] if "id" in one)
    ]
    twins += [f"category {name!r}" for name in _several(str(one["name"]) for one in content["categories"])]
    twins += [f"image {name!r}" for name in _several(_pair(path, one["file_name"]).name for one in content["images"])]
    complain(f"{path}: ids and names must differ", {"given twice": twins})


def _several(values: Iterator[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]


def _by_image(
    path: Path, annotations: _Entries, images: dict[int, Any], categories: dict[int, str]
) -> dict[int, _Entries]:
    """The annotations of each image; those that refer to nothing are complained about, all of them."""
    found, strangers, orphans = defaultdict(list), [], []
    for one in annotations:
        said = f"{one['id']}" if "id" in one else f"of image {one['image_id']}"
        unknown = [category for category in _categories(one) if category not in categories]
        strangers += [f"annotation {said} (category {category})" for category in unknown]
        if one["image_id"] not in images:
            orphans.append(f"annotation {said} (image {one['image_id']})")
        elif not unknown:
            found[one["image_id"]].append(one)
    complain(
        f"{path}: annotations refer to what the file does not list",
        {"of an unknown category": strangers, "of an unknown image": orphans},
    )
    return found


def _categories(annotation: dict[str, Any]) -> Iterator[int]:
    for one in annotation.get("segments_info", [annotation]):
        yield one["category_id"]
