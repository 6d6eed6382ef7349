"""COCO's annotation files (Lin et al., 2014): which images there are, and what is said of each."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.data.interface import MissingSplit
from src.data.layout import complain, located, present
from src.data.pair import Pair


@dataclass(frozen=True)
class COCOIndex:
    """One annotation file, all of whose references are in order."""

    path: Path
    categories: dict[int, str]  # name by id, in order of the ids, which are sparse
    things: frozenset[int]  # categories that are countable
    pairs: Sequence[Pair]  # images, in order of their ids
    sizes: dict[str, tuple[int, int]]  # height and width by name of the pair, as the file has them
    annotations: dict[str, list[dict[str, Any]]]  # likewise

    @classmethod
    def read(cls, root: str | Path, split: str, year: int, kind: str) -> "COCOIndex":
        """`annotations/{kind}_{split}{year}.json`, for the images in `{split}{year}`.

        Args:
            root: holds both, or a folder `coco` that does.
            kind: `instances` or `panoptic`.

        Raises:
            ValueError: another layout, a file that is no such JSON, or one that refers to categories or images that
                are not there.
            MissingSplit: there is no annotation file of this split.
        """
        folder = located(root, ["coco"], "annotations", "COCO")
        path = folder / "annotations" / f"{kind}_{split}{year}.json"
        if not path.is_file():
            there = ", ".join(sorted(file.name for file in path.parent.glob(f"{kind}_*.json"))) or "none"
            raise MissingSplit(f"COCO's split {split!r} needs {path}; of that kind there are: {there}")
        try:
            content = json.loads(path.read_bytes())
            categories = {one["id"]: str(one["name"]) for one in _in_order(content["categories"])}
            images = {
                one["id"]: _pair(folder / f"{split}{year}", one["file_name"]) for one in _in_order(content["images"])
            }
            said = _by_image(path, content["annotations"], images, categories)
            return cls(
                path,
                categories,
                things=frozenset(one["id"] for one in content["categories"] if one.get("isthing", 1)),
                pairs=present(list(images.values()), path),
                sizes={images[one["id"]].name: (one["height"], one["width"]) for one in content["images"]},
                annotations={pair.name: said[key] for key, pair in images.items()},
            )
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{path} cannot be read as COCO's {kind}: {error!r}") from error


def _in_order(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(entries, key=lambda entry: entry["id"])


def _pair(folder: Path, name: str) -> Pair:
    return Pair(Path(name).with_suffix("").as_posix(), folder / name)


def _by_image(
    path: Path, annotations: list[dict[str, Any]], images: dict[int, Any], categories: dict[int, str]
) -> dict[int, list[dict[str, Any]]]:
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
