"""Where the outputs of each file lie that was answered pixel by pixel, and what is in them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Num, UInt16
from PIL import Image
from torch import Tensor

from src.data.description import Description
from src.run.inference.picture import colored, overlaid
from src.run.inference.prediction import Prediction
from src.run.inference.source import Source
from src.run.inference.writing import draft, plain, save_mask, stamped, whole

EXTRAS = ("overlays", "probabilities", "one_hot", "objects", "objects_colored", "crops")  # the folders beside the masks
INDEX = "predictions.json"  # what the folder was made with
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
        return [self.folder / "one_hot" / plain(name) / f"{source.name}.png" for name in names]

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
            whole(overlay, lambda path: picture.save(path, "JPEG", quality=92))
        for index, path in enumerate(self.maps(source)):
            picture = Image.fromarray(prediction.present(index) * np.uint8(255))
            whole(path, lambda path, picture=picture: picture.save(path, "PNG"))
        texts = {}
        if objects is not None:
            self._save_objects(source, image, objects[0])
            texts = {_COUNTS: json.dumps(objects[1])}
        save_mask(self.mask(source), prediction.mask, self._description.colors, stamp, texts)

    def _save_objects(self, source: Source, image: Num[Tensor, "c h w"], ids: UInt16[np.ndarray, " h w"]) -> None:
        picture = colored(image, ids, self._description)
        for path, array in ((self.objects(source), ids), (self.objects_colored(source), picture)):
            whole(path, lambda path, array=array: Image.fromarray(array).save(path, "PNG"))

    def account(self, source: Source) -> dict[str, Any]:
        """What predictions.json says of a complete prediction: its size and, where wanted, how many objects it has."""
        with Image.open(self.mask(source), formats=["PNG"]) as picture:
            width, height = picture.size
            counts = picture.info.get(_COUNTS)
        return {"size": [height, width], **({"objects": json.loads(counts)} if counts else {})}

    def stamp(self, source: Source) -> str | None:
        """What the mask that is there was made from; "" if it is not ours, None if there is none."""
        return stamped(self.mask(source))

    def strangers(self, source: Source) -> list[Path]:
        """A mask that is there and not ours."""
        return [self.mask(source)] if self.stamp(source) == "" else []
