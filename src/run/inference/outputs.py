"""Where the outputs of each file lie, and how they get there: whole or not at all."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Num, UInt16
from PIL import Image, PngImagePlugin
from torch import Tensor

from src.data.color import palette
from src.data.description import Description
from src.run.inference.picture import colored, overlaid
from src.run.inference.prediction import Prediction
from src.run.inference.source import Source

EXTRAS = ("overlays", "probabilities", "one_hot", "objects", "objects_colored")  # the folders beside the masks
INDEX = "predictions.json"  # what the folder was made with
_STAMP = "prediction"  # of a mask: the PNG text that says what it was made from
_COUNTS = "objects"  # of a mask: the PNG text of how many objects of each class it has


class Outputs:
    """The folder of one command: masks in it, everything else in a subfolder by kind."""

    def __init__(
        self,
        folder: Path,
        description: Description,
        overlay: bool,
        probabilities: bool,
        one_hot: bool,
        objects: bool = False,
    ) -> None:
        self.folder, self._description = folder, description
        self._overlay, self._probabilities, self.one_hot, self._objects = overlay, probabilities, one_hot, objects

    def mask(self, source: Source) -> Path:
        """The palette PNG; it is written last, so that it stands for all the others."""
        return self.folder / f"{source.name}.png"

    def overlay(self, source: Source) -> Path | None:
        """The image with its classes' colours laid over it, if that is wanted."""
        return self.folder / "overlays" / f"{source.name}.jpg" if self._overlay else None

    def probabilities(self, source: Source) -> Path | None:
        """The float16 array [k h w], if that is wanted."""
        return self.folder / "probabilities" / f"{source.name}.npy" if self._probabilities else None

    def maps(self, source: Source) -> list[Path]:
        """A 0/255 PNG in a folder per class, if that is wanted."""
        names = self._description.classes if self.one_hot else ()
        return [self.folder / "one_hot" / _plain(name) / f"{source.name}.png" for name in names]

    def objects(self, source: Source) -> Path | None:
        """The 16-bit PNG of each pixel's object, if that is wanted."""
        return self.folder / "objects" / f"{source.name}.png" if self._objects else None

    def objects_colored(self, source: Source) -> Path | None:
        """The image with a colour laid over each object, if that is wanted."""
        return self.folder / "objects_colored" / f"{source.name}.png" if self._objects else None

    def all(self, source: Source) -> list[Path]:
        """Everything that is written for a file."""
        optional = [getattr(self, kind)(source) for kind in ("overlay", "probabilities", "objects", "objects_colored")]
        return [self.mask(source), *(path for path in optional if path), *self.maps(source)]

    def check(self, sources: Iterable[Source]) -> None:
        """See that no output would take the place of another one.

        Raises:
            ValueError: some would; the message lists them.
        """
        owners: dict[Path, Source] = {}
        clashes = []
        for source in sources:
            for path in self.all(source):
                other = owners.setdefault(path, source)
                if other is not source:
                    clashes.append(f"{other.path} and {source.path} -> {path}")
        if clashes:
            listed = "".join(f"\n  {clash}" for clash in clashes)
            raise ValueError(f"outputs would overwrite one another: rename files, or predict them apart:{listed}")

    def save(
        self,
        source: Source,
        image: Num[Tensor, "c h w"],
        prediction: Prediction,
        stamp: str,
        objects: tuple[UInt16[np.ndarray, " h w"], dict[str, int]] | None = None,
    ) -> None:
        """Write overlay, maps, objects and mask; probabilities went to their draft row by row.

        Args:
            objects: the number of each pixel's, and how many there are by class, where they are wanted.

        Raises:
            ValueError: something cannot be written.
        """
        if probabilities := self.probabilities(source):
            draft(probabilities).replace(probabilities)
        if overlay := self.overlay(source):
            picture = Image.fromarray(overlaid(image, prediction.mask, self._description))
            _whole(overlay, lambda path: picture.save(path, "JPEG", quality=92))
        for index, path in enumerate(self.maps(source)):
            picture = Image.fromarray(prediction.present(index) * np.uint8(255))
            _whole(path, lambda path, picture=picture: picture.save(path, "PNG"))
        height, width = prediction.mask.shape
        picture = Image.frombuffer("P", (width, height), prediction.mask, "raw", "P", 0, 1)
        picture.putpalette(palette(self._description.colors))
        info = PngImagePlugin.PngInfo()
        info.add_text(_STAMP, stamp)
        if objects is not None:
            self._save_objects(source, image, objects[0])
            info.add_text(_COUNTS, json.dumps(objects[1]))
        _whole(self.mask(source), lambda path: picture.save(path, "PNG", pnginfo=info))

    def _save_objects(self, source: Source, image: Num[Tensor, "c h w"], ids: UInt16[np.ndarray, " h w"]) -> None:
        picture = colored(image, ids, self._description)
        for path, array in ((self.objects(source), ids), (self.objects_colored(source), picture)):
            _whole(path, lambda path, array=array: Image.fromarray(array).save(path, "PNG"))

    def account(self, source: Source) -> dict[str, Any]:
        """What predictions.json says of a complete prediction: its size and, where wanted, how many objects it has."""
        with Image.open(self.mask(source), formats=["PNG"]) as picture:
            width, height = picture.size
            counts = picture.info.get(_COUNTS)
        return {"size": [height, width], **({"objects": json.loads(counts)} if counts else {})}

    def stamp(self, source: Source) -> str | None:
        """What the mask that is there was made from; "" if it is not ours, None if there is none."""
        path = self.mask(source)
        if not path.exists():
            return None
        try:
            with Image.open(path, formats=["PNG"]) as picture:
                return picture.info.get(_STAMP, "")
        except OSError:  # whatever it is, it is no mask of ours
            return ""


def draft(path: Path) -> Path:
    """The hidden name a file is written under until it is complete; its folder is made.

    Raises:
        ValueError: the folder cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{path.parent}: cannot be made ({error.strerror}); choose another output") from error
    return path.with_name(f".{path.name}.part")


def _whole(path: Path, write: Callable[[Path], None]) -> None:
    part = draft(path)
    try:
        write(part)
        part.replace(path)
    except OSError as error:
        raise ValueError(f"{path}: cannot be written ({error.strerror or error}); nothing written is lost") from error
    finally:
        part.unlink(missing_ok=True)


def _plain(name: str) -> str:
    """A class's name as a folder's."""
    return "".join(letter if letter.isalnum() or letter in "-_ " else "_" for letter in name)
