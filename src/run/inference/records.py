"""Where the outputs of each file lie that was answered in numbers, and what is said of them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Num, UInt8
from PIL import Image
from torch import Tensor

from src.data.description import Description
from src.run.folder import write
from src.run.inference.field.field import Canvas, Field
from src.run.inference.picture import shown, shrinking
from src.run.inference.record import contents, stamp
from src.run.inference.source import Source
from src.run.inference.writing import stamped, whole


class Records:
    """The folder of one command: a folder for each field and kind of file, and a record of each image."""

    def __init__(self, folder: Path, fields: Sequence[Field], description: Description, overlay: bool) -> None:
        """Nothing is written yet.

        Args:
            overlay: whether pictures are wanted.
        """
        self.folder, self._fields, self._description, self._overlay = folder, fields, description, overlay

    def record(self, source: Source) -> Path:
        """The JSON file that says what an image's files hold; it is written last, so that it stands for the others."""
        return self.folder / "results" / f"{source.name}.json"

    def all(self, source: Source) -> list[Path]:
        """Everything that is written for a file."""
        fields = [path for field in self._fields for path in field.paths(source, self.folder)]
        return [self.record(source), *fields, *(self._pictures(source).values() if self._overlay else ())]

    def _pictures(self, source: Source) -> dict[str, Path]:
        """By field those in colours, and, of no field, the picture of all of them beside the image."""
        colored = {field.name: f"{field.name}_colored" for field in self._fields if field.colored}
        places = {"": "overlays", **colored}
        return {name: self.folder / place / f"{source.name}.jpg" for name, place in places.items()}

    def save(self, source: Source, image: Num[Tensor, "c h w"], canvases: dict[Field, Canvas], stamp: str) -> None:
        """Write everything, the record last.

        Raises:
            ValueError: something cannot be written.
        """
        self.record(source).unlink(missing_ok=True)
        if self._overlay:
            found = {field.name: canvas.picture() for field, canvas in canvases.items()}
            seen = shown(image, shrinking(image.shape[-2:]), self._description).round().astype(np.uint8)
            for name, path in self._pictures(source).items():
                _save(path, found[name] if name else _beside([seen, *found.values()]))
        said = {field.name: canvas.save(stamp) for field, canvas in canvases.items()}
        content = {"prediction": stamp, "size": list(image.shape[-2:])}
        write(self.record(source), json.dumps(content | {name: facts for name, facts in said.items() if facts}) + "\n")

    def account(self, source: Source) -> dict[str, Any]:
        """What predictions.json says of a complete prediction: its size, and what each field says."""
        return {key: value for key, value in contents(self.record(source)).items() if key != "prediction"}

    def beyond(self, source: Source) -> list[str]:
        """The fields whose numbers did not all fit into their file."""
        return [name for name, said in self.account(source).items() if isinstance(said, dict) and said.get("beyond")]

    def stamp(self, source: Source) -> str | None:
        """What the record that is there was made from; "" if it is not ours, None if there is none."""
        return stamp(self.record(source))

    def strangers(self, source: Source) -> list[Path]:
        """A record or a PNG that is there and not ours."""
        found = [self.record(source)] if self.stamp(source) == "" else []
        return found + [path for path in self.all(source) if path.suffix == ".png" and stamped(path) == ""]


def _beside(pictures: Sequence[UInt8[np.ndarray, "i j 3"]]) -> UInt8[np.ndarray, "y x 3"]:
    """In a row, or one below the other where they are wider than high."""
    height, width = pictures[0].shape[:2]
    return np.concatenate(pictures, axis=int(height >= width))


def _save(path: Path, picture: UInt8[np.ndarray, "i j 3"]) -> None:
    whole(path, lambda part: Image.fromarray(picture).save(part, "JPEG", quality=92))
