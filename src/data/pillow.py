"""Image files through Pillow, with every channel and bit, also those that it would drop without a word."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from src.data.raster import Raster, kept, orientation, upright

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "PPM")  # of the others, some start programs
_LIMIT = Image.MAX_IMAGE_PIXELS
_READ_AS = {"1": "L", "P": "RGB", "PA": "RGBA", "La": "LA", "RGBa": "RGBA", "CMYK": "RGB", "YCbCr": "RGB"}
_TRANSPARENT = {"L": "LA", "RGB": "RGBA"}  # where the header marks a color or a palette entry as transparent
_READ = ("1", "L", "LA", "P", "RGB", "RGBA", "I", "F")
_BITS, _SAMPLES = 258, 277  # tags of a TIFF


def picture(path: Path, page: int | None, indexed: bool) -> Raster | None:
    """The file's header; None for a TIFF that Pillow has no mode for.

    Args:
        page: of a file of several pictures.
        indexed: palette files give indices and 1-bit files 0 and 1, instead of colors and 0 and 255.

    Raises:
        ValueError, or whatever Pillow raises: see `decode.opened`, which names the file.
    """
    with _unlimited(), Image.open(path, formats=_FORMATS) as image:
        _turn_to(image, page)
        if not _complete(image):
            return None
        mode = _mode(image, indexed)
        deep = _deep(image)
        tag = orientation(Image.Image.getexif(image).get(0x0112))  # PNG's own getexif would decode the file
        stored = image.size if image.format == "TIFF" and tag >= 5 else image.size[::-1]
    types = {"F": np.float32, "I": np.int32, "1": np.bool_}
    dtype = np.uint16 if deep or mode.startswith("I;16") else types.get(mode, np.uint8)
    channels = len(Image.new(mode, (1, 1)).getbands())
    decode = partial(_decoded, path, page, mode, deep, tag)
    return Raster(stored, channels, kept(np.dtype(dtype)), decode, alpha=mode in ("LA", "RGBA"), orientation=tag)


def frames(path: Path) -> int:
    """How many pictures the file holds."""
    with _unlimited(), Image.open(path, formats=_FORMATS) as image:
        return getattr(image, "n_frames", 1)


def _turn_to(image: Image.Image, page: int | None) -> None:
    """Stand on the one picture that is meant. Phones put a preview beside theirs (MPO); the first is the picture."""
    count = image.n_frames if getattr(image, "is_animated", False) else 1
    if page is not None and page >= count:
        raise ValueError(f"it has {count} pages, there is no page {page}")
    if page is None and count > 1 and image.format != "MPO":
        raise ValueError(f"it holds {count} pictures ({image.format}): save each as a file of its own")
    image.seek(page or 0)


def _complete(image: Image.Image) -> bool:
    """Whether Pillow gives every channel and bit of the file."""
    bands = len(image.getbands())
    if image.format == "TIFF":
        samples, bits = image.tag_v2.get(_SAMPLES, 1), max(image.tag_v2.get(_BITS, (1,)))
        return samples == bands and (samples == 1 or bits == 8 or _deep(image))
    if image.format == "PPM" and image.tile[0].codec_name.startswith("ppm"):
        maximum = image.tile[0].args[1]
        if maximum not in (255, 65535) or (maximum > 255 and bands > 1):
            raise ValueError(f"Pillow would rescale a PPM whose values end at {maximum}: save it as PNG or .npy")
    if bands > 1 and any(";16" in _raw(tile) for tile in image.tile) and not _deep(image):
        raise ValueError(f"16-bit pictures of mode {image.mode} are not read: save it without transparency")
    return True


def _mode(image: Image.Image, indexed: bool) -> str:
    """What Pillow shall convert to: nothing is lost by it."""
    if indexed and image.mode in ("1", "P"):
        return image.mode
    mode = _READ_AS.get(image.mode, image.mode)
    if "transparency" in image.info and image.mode in ("1", "L", "P", "RGB") and not _deep(image):
        mode = _TRANSPARENT[mode]
    if mode not in _READ and not mode.startswith("I;16"):
        raise ValueError(f"pictures of Pillow's mode {mode} are not read: save it as RGB")
    return mode


def _deep(image: Image.Image) -> bool:
    """Whether it is 16-bit color: Pillow has no mode for that and would give the high bytes alone."""
    layouts = {_raw(tile) for tile in image.tile}
    return bool(layouts) and layouts <= {f"{image.mode};16{order}" for order in "BLN"}


def _raw(tile: tuple) -> str:
    """How the bytes lie, in Pillow's own notation."""
    args = tile.args
    return str(args[0] if isinstance(args, tuple) and args else args)


def _decoded(path: Path, page: int | None, mode: str, deep: bool, tag: int) -> np.ndarray:
    data = path.read_bytes()
    if data.startswith(b"\x89PNG"):
        with _unlimited(), Image.open(io.BytesIO(data)) as image:
            image.verify()  # the check sums: a flipped bit otherwise shows as another picture
    pixels = _loaded(data, page, mode, tag)
    if deep:  # once more as if the bytes stood the other way round: that gives the low ones
        return pixels.astype(np.uint16) << 8 | _loaded(data, page, mode, tag, swapped=True)
    return pixels


def _loaded(data: bytes, page: int | None, mode: str, tag: int, swapped: bool = False) -> np.ndarray:
    with _unlimited(), Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        image.seek(page or 0)
        if swapped:
            image.tile = [tile._replace(args=_swapped(tile.args)) for tile in image.tile]
        image.load()
        array = np.array(image if image.mode == mode else image.convert(mode))
        return array if image.format == "TIFF" else upright(array, tag)  # of a TIFF, Pillow follows the tag itself


def _swapped(args: str | tuple) -> str | tuple:
    if isinstance(args, tuple):
        return (_swapped(args[0]), *args[1:])
    native = "L" if sys.byteorder == "little" else "B"
    order = native if args[-1] == "N" else args[-1]
    return args[:-1] + {"L": "B", "B": "L"}[order]


@contextmanager
def _unlimited() -> Iterator[None]:
    """Pillow's limit cannot be given per file; `decode.opened` checks the header, before anything is unpacked."""
    Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = _LIMIT
