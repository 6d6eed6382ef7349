"""Image files and mask files as arrays: every value as it stands in the file, or a sentence that names the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Integer, Num
from PIL import UnidentifiedImageError
from torch import Tensor

from src.data.pillow import frames, picture
from src.data.raster import Raster, kept
from src.data.tiff import tiff

MAX_PIXELS = 400_000_000  # a 20000x20000 map is read; far beyond, a small file that fills the memory is likelier
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".pbm", ".npy")


def image(
    path: Path, channels: int | None = None, page: int | None = None, max_pixels: int = MAX_PIXELS
) -> Num[Tensor, " c h w"]:
    """The picture as displayed (orientation followed), in the file's own type: uint8, uint16 or float32.

    CMYK and palettes become RGB; transparency is laid over black. Nothing is clipped or rescaled.

    Args:
        channels: how many are wanted: grey is repeated to 3, 3 equal ones reduce to 1, and transparency is kept as a
            channel where the file has that many with it. None: the file's own, without transparency.
        page: of a TIFF of several.
        max_pixels: a larger picture is refused before it is unpacked.

    Raises:
        ValueError: the file cannot be read, has other channels, or holds NaN or infinity.
    """
    raster = opened(path, page, max_pixels=max_pixels)
    with naming(path):
        array = _with_channels(raster.pixels(), raster.alpha, channels or raster.channels - raster.alpha)
        if array.dtype == np.float32 and not np.isfinite(array).all():
            raise ValueError(f"{np.count_nonzero(~np.isfinite(array))} of its values are NaN or infinite")
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


def labels(
    path: Path, colored: bool = False, page: int | None = None, max_pixels: int = MAX_PIXELS
) -> Integer[np.ndarray, " h w"] | Integer[np.ndarray, " h w 3"]:
    """A mask's own values, orientation followed: [h w] ids, palette indices or bits, or [h w 3] colors.

    Args:
        colored: the classes are colors: palettes are resolved, grey v is the color (v, v, v).

    Raises:
        ValueError: the file cannot be read, holds fractions, or is partly transparent.
    """
    raster = opened(path, page, indexed=not colored, max_pixels=max_pixels)
    with naming(path):
        array = raster.pixels()
        if array.dtype == np.float32:
            raise ValueError("a mask holds integers, this file floats: save it as 8-bit or 16-bit PNG")
        if raster.alpha and (array[..., -1] != np.iinfo(array.dtype).max).any():
            raise ValueError("this mask is partly transparent, so that its values are not certain: save it without")
        array = array[..., :-1] if raster.alpha else array
        array = _with_channels(array, False, 3) if colored else _single(array)
    return array if colored else array[..., 0]


def values(path: Path, max_pixels: int = MAX_PIXELS) -> Num[np.ndarray, " h w c"]:
    """What a file of measurements holds, orientation followed: uint8, uint16 or float32, NaN and infinity too.

    Raises:
        ValueError: the file cannot be read.
    """
    raster = opened(path, max_pixels=max_pixels)
    with naming(path):
        return raster.pixels()


def size(path: Path, page: int | None = None) -> tuple[int, int]:
    """Height and width as displayed, from the file's header.

    Raises:
        ValueError: the file cannot be read.
    """
    return opened(path, page, max_pixels=None).size


def pages(path: Path) -> int:
    """How many pictures a file holds.

    Raises:
        ValueError: the file cannot be read.
    """
    with naming(path):
        return frames(path)


def opened(path: Path, page: int | None = None, indexed: bool = False, max_pixels: int | None = MAX_PIXELS) -> Raster:
    """The file's header.

    Args:
        indexed: palette files give indices and 1-bit files 0 and 1, instead of colors and 0 and 255.
        max_pixels: of a picture that may be unpacked; None where that is not meant to be done.

    Raises:
        ValueError: no file, no image, an animated one, one larger than the limit, or of a kind that is not read here.
    """
    with naming(path):
        raster = _array(path) if path.suffix.lower() == ".npy" else _file(path, page, indexed)
        height, width = raster.size
        if max_pixels is not None and height * width > max_pixels:
            raise ValueError(f"it is {height}x{width}, more than {max_pixels} pixels: say max_pixels={height * width}")
    return raster


def _array(path: Path) -> Raster:
    """[h w] or [h w c], never pickled."""
    header = np.load(path, mmap_mode="r", allow_pickle=False)
    if header.ndim not in (2, 3) or 0 in header.shape:
        raise ValueError(f"its shape is {header.shape}: an image is [height width] or [height width channels]")
    channels = header.shape[2] if header.ndim == 3 else 1
    return Raster(header.shape[:2], channels, kept(header.dtype), lambda: np.load(path, allow_pickle=False))


def _file(path: Path, page: int | None, indexed: bool) -> Raster:
    try:
        return picture(path, page, indexed) or tiff(path, page)
    except UnidentifiedImageError:
        if not _start(path).startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
            raise
        return tiff(path, page)


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def _with_channels(array: np.ndarray, alpha: bool, wanted: int) -> np.ndarray:
    if array.shape[2] == wanted:
        return array
    if alpha:
        array = _over_black(array)
    if array.shape[2] == 1 and wanted == 3:
        return np.repeat(array, 3, axis=2)
    if array.shape[2] == 3 and wanted == 1 and _grey(array):
        return array[..., :1]
    if array.shape[2] != wanted:
        raise ValueError(
            f"it has {array.shape[2]} channels, where {wanted} were asked for: say channels, or convert it"
        )
    return array


def _single(array: np.ndarray) -> np.ndarray:
    if array.shape[2] == 1:
        return array
    if array.shape[2] == 3 and _grey(array):
        return array[..., :1]
    raise ValueError(f"this mask has {array.shape[2]} channels: say which color is which class (data.colors)")


def _grey(array: np.ndarray) -> bool:
    return bool((array == array[..., :1]).all())


def _over_black(array: np.ndarray) -> np.ndarray:
    """What lies under transparency is not meant to be seen."""
    color, alpha = array[..., :-1], array[..., -1:]
    opaque = np.iinfo(array.dtype).max
    if (alpha == opaque).all():
        return color
    return ((color.astype(np.uint64) * alpha + opaque // 2) // opaque).astype(array.dtype)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """A damaged file makes a decoder raise nearly anything: whatever it is, here file and reason get named."""
    try:
        yield
    except Exception as error:
        raise ValueError(f"{path} cannot be read: {_reason(path, error)}") from error


def _reason(path: Path, error: Exception) -> str:
    if not path.exists():
        return "there is no such file"
    if path.is_dir():
        return "it is a folder"
    if path.stat().st_size == 0:
        return "it is empty (0 bytes)"
    if isinstance(error, UnidentifiedImageError):
        return f"it begins with {_start(path)!r}, which no image format read here does"
    return str(error) if isinstance(error, ValueError) else f"{error!r}: damaged, or not completely copied?"
