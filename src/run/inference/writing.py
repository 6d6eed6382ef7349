"""How predictions get to disk: whole or not at all, never one in the place of another, stamped with what made them."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8, UInt16
from PIL import Image, PngImagePlugin

from src.data.color import palette
from src.run.inference.source import Source

_STAMP = "prediction"  # of a mask: the PNG text that says what it was made from


def apart(sources: Iterable[Source], paths: Callable[[Source], Sequence[Path]]) -> None:
    """See that no output would take the place of another one.

    Args:
        paths: of everything that is written for a file.

    Raises:
        ValueError: some would; the message lists them.
    """
    owners: dict[Path, Source] = {}
    clashes = []
    for source in sources:
        for path in paths(source):
            other = owners.setdefault(path, source)
            if other is not source:
                clashes.append(f"{other.path} and {source.path} -> {path}")
    if clashes:
        listed = "".join(f"\n  {clash}" for clash in clashes)
        raise ValueError(f"outputs would overwrite one another: rename files, or predict them apart:{listed}")


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


def whole(path: Path, write: Callable[[Path], object]) -> None:
    """Have a file written under its draft's name, then give it its own.

    Raises:
        ValueError: it cannot be written.
    """
    part = draft(path)
    try:
        write(part)
        part.replace(path)
    except OSError as error:
        raise ValueError(f"{path}: cannot be written ({error.strerror or error}); nothing written is lost") from error
    finally:
        part.unlink(missing_ok=True)


def save_mask(
    path: Path,
    mask: UInt8[np.ndarray, " h w"],
    colors: Sequence[tuple[int, int, int]],
    stamp: str,
    texts: dict[str, str] | None = None,
) -> None:
    """Write a class map as a palette PNG that bears the stamp and other texts."""
    height, width = mask.shape
    picture = Image.frombuffer("P", (width, height), mask, "raw", "P", 0, 1)
    picture.putpalette(palette(colors))
    _save(path, picture, stamp, texts)


def save_png(
    path: Path,
    array: UInt8[np.ndarray, " h w 3"] | UInt16[np.ndarray, " h w"],
    stamp: str,
    texts: dict[str, str] | None = None,
) -> None:
    """Write colours, or numbers of 16 bits, as a PNG that bears the stamp and other texts."""
    _save(path, Image.fromarray(array), stamp, texts)


def _save(path: Path, picture: Image.Image, stamp: str, texts: dict[str, str] | None) -> None:
    info = PngImagePlugin.PngInfo()
    for key, text in {_STAMP: stamp, **(texts or {})}.items():
        info.add_text(key, text)
    whole(path, lambda part: picture.save(part, "PNG", pnginfo=info))


def stamped(path: Path) -> str | None:
    """What the mask that is there was made from; "" if it is not ours, None if there is none."""
    if not path.exists():
        return None
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            return picture.info.get(_STAMP, "")
    except OSError:  # whatever it is, it is no mask of ours
        return ""


def plain(name: str) -> str:
    """A class's name as part of a path."""
    return "".join(letter if letter.isalnum() or letter in "-_ " else "_" for letter in name)
