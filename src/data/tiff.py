"""TIFFs of more channels, bits or floats per pixel than Pillow has modes for."""

from pathlib import Path
from typing import Any

import numpy as np

from src.data.raster import Raster, kept, orientation, upright

_ORIENTATION = 274
_UNASSOCIATED = 2  # of an extra sample: it is transparency


def tiff(path: Path, page: int | None) -> Raster:
    """The file's header.

    Raises:
        ValueError, or whatever tifffile raises: see `decode.opened`, which names the file.
    """
    with _open(path) as file:
        if page is None and len(file.pages) > 1:
            raise ValueError(f"it holds {len(file.pages)} pages: save one page of several channels, or .npy")
        header = file.pages[page or 0]
        tag = orientation(header.tags.valueof(_ORIENTATION))
        return Raster(
            stored=(header.imagelength, header.imagewidth),
            channels=header.samplesperpixel,
            dtype=kept(np.dtype(header.dtype)),
            decode=lambda: _decoded(path, page or 0, tag),
            alpha=tuple(header.extrasamples) == (_UNASSOCIATED,) and header.dtype.kind == "u",
            orientation=tag,
        )


def _decoded(path: Path, page: int, tag: int) -> np.ndarray:
    with _open(path) as file:
        header = file.pages[page]
        try:
            array = header.asarray()
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            raise ValueError(f"{error}: `pip install imagecodecs`, or save it uncompressed") from error
        return upright(np.moveaxis(array, 0, -1) if header.axes == "SYX" else array, tag)


def _open(path: Path) -> Any:
    try:
        import tifffile  # here, because few need it
    except ImportError as error:
        raise ValueError("this kind of TIFF needs `pip install tifffile`; or save it as .npy") from error
    return tifffile.TiffFile(path)
