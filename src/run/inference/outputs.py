"""Where the outputs of each file lie, and how they get there: whole or not at all."""

import math
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from jaxtyping import Num, UInt8
from PIL import Image, PngImagePlugin
from torch import Tensor

from src.data.color import palette
from src.data.description import UNKNOWN, Description
from src.run.inference.prediction import Prediction
from src.run.inference.source import Source

EXTRAS = ("overlays", "probabilities", "one_hot")  # the folders beside the masks
INDEX = "predictions.json"  # what the folder was made with
_STAMP = "prediction"  # of a mask: the PNG text that says what it was made from
_OPACITY = 0.5
_OVERLAY = 4_000_000  # pixels of an overlay; those of larger images are shrunk


class Outputs:
    """The folder of one command: masks in it, everything else in a subfolder by kind."""

    def __init__(self, folder: Path, description: Description, overlay: bool, probabilities: bool, one_hot: bool):
        self.folder, self._description = folder, description
        self._overlay, self._probabilities, self.one_hot = overlay, probabilities, one_hot

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

    def all(self, source: Source) -> list[Path]:
        """Everything that is written for a file."""
        optional = [self.overlay(source), self.probabilities(source)]
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

    def save(self, source: Source, image: Num[Tensor, "c h w"], prediction: Prediction, stamp: str) -> None:
        """Write overlay, maps and mask; probabilities went to their draft row by row.

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
        _whole(self.mask(source), lambda path: picture.save(path, "PNG", pnginfo=info))

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


def overlaid(
    image: Num[Tensor, "c h w"], mask: UInt8[np.ndarray, " h w"], description: Description
) -> UInt8[np.ndarray, " i j 3"]:
    """The image with its classes' colours laid over it; unknown pixels stay clear. Large ones are shrunk."""
    step = math.ceil(math.sqrt(mask.size / _OVERLAY))
    low, high = description.value_range
    shown = image[:3] if len(image) >= 3 else image[:1].expand(3, -1, -1)
    picture = (shown[:, ::step, ::step].float() - low) / (high - low) * 255
    picture = picture.clamp(0, 255).permute(1, 2, 0).cpu().numpy()
    small = mask[::step, ::step]
    colors = np.array(palette(description.colors), np.float32).reshape(256, 3)[small]
    opacity = np.where(small == UNKNOWN, 0, _OPACITY)[..., None]
    return (picture * (1 - opacity) + colors * opacity).round().astype(np.uint8)


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
