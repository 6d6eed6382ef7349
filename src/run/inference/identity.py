"""What COCO's results call images and classes: the ids of an annotation file, or numbers of our own."""

import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from src.data.description import Description
from src.run.inference.source import Source


class Identity:
    """Ids of images by file name and of categories by class name."""

    def __init__(self, description: Description, annotations: Path | None = None) -> None:
        """Read the annotation file, if there is one.

        Args:
            description: of the checkpoint's dataset; a category's own number is its class's index in it.
            annotations: a JSON file with COCO's `images` and `categories`.

        Raises:
            ValueError: the file cannot be read, or lacks a class that the checkpoint finds.
        """
        self._path, self._images = annotations, None
        names = [description.classes[index] for index in description.countable]
        self.categories = dict(zip(names, description.countable, strict=True))
        if annotations is None:
            return
        images, categories = _read(annotations)
        self._images = images
        missing = [name for name in names if name not in categories]
        if missing:
            raise ValueError(
                f"coco={annotations}: the checkpoint finds {', '.join(missing)}, which the file's categories lack "
                f"({', '.join(categories) or 'there are none'}): give the file that belongs to its dataset, or leave "
                "coco out and have classes numbered"
            )
        self.categories = {name: categories[name] for name in names}

    def of(self, sources: Sequence[Source]) -> dict[Source, dict[str, Any]]:
        """image_id and file_name of each: the annotation file's, or a number from 1 in the order of the sources.

        A file is that of the same name below the folder that was asked for, or else the only one of its own name.

        Raises:
            ValueError: the annotation file lacks some of the files; the message lists them.
        """
        named = {source: f"{source.name}{source.path.suffix}" for source in sources}
        if self._images is None:
            return {source: {"image_id": at, "file_name": name} for at, (source, name) in enumerate(named.items(), 1)}
        found = {source: self._matching(name) for source, name in named.items()}
        strangers = [str(source.path) for source, match in found.items() if match is None]
        if strangers:
            more = f" and {len(strangers) - 5} more" if len(strangers) > 5 else ""
            raise ValueError(
                f"coco={self._path}: has no image of the name of {', '.join(strangers[:5])}{more}: predict the images "
                "it was made for, or leave coco out and have images numbered"
            )
        return {source: {"image_id": self._images[name], "file_name": name} for source, name in found.items()}

    def _matching(self, name: str) -> str | None:
        if name in self._images:
            return name
        own = PurePosixPath(name).name
        matches = [other for other in self._images if PurePosixPath(other).name == own]
        return matches[0] if len(matches) == 1 else None


def _read(path: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Ids of the images by file name and of the categories by name."""
    try:
        content = json.loads(path.read_text("utf8"))
        images = {entry["file_name"]: entry["id"] for entry in content["images"]}
        return images, {entry["name"]: entry["id"] for entry in content["categories"]}
    except OSError as error:
        raise ValueError(f"coco={path}: cannot be read ({error.strerror})") from error
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"coco={path}: is no annotation file of COCO, which has images with id and file_name and categories with "
            f"id and name ({type(error).__name__}: {error})"
        ) from error
