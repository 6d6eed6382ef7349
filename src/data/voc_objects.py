"""The objects of PASCAL VOC (Everingham et al., 2015) and SBD (Hariharan et al., 2011), beside their classes."""

from pathlib import Path

import numpy as np
from jaxtyping import Integer
from scipy.io import loadmat

from src.data import decode
from src.data.description import UNKNOWN
from src.data.numbered import numbered
from src.data.sample import Instances

_BESIDE = {".png": "SegmentationObject", ".mat": "inst"}  # by the suffix of the class map


def beside(mask: Path) -> Path:
    """The file of the objects whose class map is `mask`."""
    return mask.parent.with_name(_BESIDE[mask.suffix]) / mask.name


def objects(path: Path, mask: Integer[np.ndarray, "h w"], max_pixels: int) -> Instances:
    """An object for each number of the file, of the class that most of its pixels have.

    The border between objects, 255, is nobody's.

    Args:
        path: of `SegmentationObject`, or of SBD's `inst`.
        mask: class of each pixel, 255 unknown.
        max_pixels: a larger file is refused before it is unpacked.

    Raises:
        ValueError: the file cannot be read, is of another size, or an object is on background alone.
    """
    ids = matlab(path, "GTinst") if path.suffix == ".mat" else decode.labels(path, max_pixels=max_pixels)
    if ids.shape != mask.shape:
        sizes = [f"{height}x{width}" for height, width in (ids.shape, mask.shape)]
        raise ValueError(f"{path} is {sizes[0]} (height x width), its class map {sizes[1]}: they need one size")
    known = (ids > 0) & (ids != UNKNOWN) & (mask != UNKNOWN)
    votes = np.bincount(
        ids[known].astype(np.int64) * (UNKNOWN + 1) + mask[known], minlength=(int(ids.max()) + 1) * (UNKNOWN + 1)
    )
    classes = votes.reshape(-1, UNKNOWN + 1).argmax(1)
    numbers = [number for number in np.unique(ids).tolist() if number not in (0, UNKNOWN)]
    for number in numbers:
        if not classes[number]:
            raise ValueError(
                f"{path}: object {number} is on background or void in the class map: one of them is drawn wrongly"
            )
    return numbered(ids, {number: int(classes[number]) for number in numbers})


def matlab(path: Path, name: str) -> Integer[np.ndarray, "h w"]:
    """SBD's labels: classes (GTcls, with VOC's own numbers) or objects (GTinst, from 1 on).

    Raises:
        ValueError: the file is damaged, or holds something else.
    """
    try:
        return np.asarray(loadmat(path)[name][0, 0]["Segmentation"])
    except Exception as error:  # a damaged file makes the reader raise nearly anything
        raise ValueError(f"{path} cannot be read as labels of SBD: {error!r}") from error
