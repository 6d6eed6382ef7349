"""Objects in a class map: its connected parts or, by watershed, what touches as well, numbered and counted."""

import numpy as np
from jaxtyping import UInt8, UInt16
from scipy import ndimage

from src.data.description import Description

LARGEST = 65535  # what a 16-bit PNG can hold
_SMOOTH, _DEPTH = 1.0, 0.75  # pixels: of the distances, and of the notch that parts two objects


class Objects:
    """Class map -> the number of each pixel's object, 0 for none, and how many there are of each countable class.

    An object is a part of one class that is connected over edges. With `split` a part falls into several where its
    outline is notched: by a watershed of the distance to the outline from that distance's maxima.
    """

    def __init__(self, description: Description, split: bool = False, min_object: int = 0) -> None:
        """Take the classes that the dataset calls countable, or all but the first where it does not say.

        Args:
            min_object: pixels; smaller objects are left out.

        Raises:
            ValueError: no class is countable.
        """
        names = description.classes[1:] if description.things is None else description.things
        if not names:
            raise ValueError(f"objects: none of the classes {list(description.classes)} is countable, so say false")
        self._classes = {name: description.classes.index(name) for name in names}
        self._split, self._smallest = split, min_object

    def __call__(self, mask: UInt8[np.ndarray, "h w"]) -> tuple[UInt16[np.ndarray, "h w"], dict[str, int]]:
        """The numbers, class by class and row by row, and the counts by class.

        Raises:
            ValueError: more objects than a 16-bit file can number.
        """
        ids, counts, last = np.zeros(mask.shape, np.uint16), {}, 0
        for name, index in self._classes.items():
            parts, _ = ndimage.label(mask == index)
            counts[name] = 0
            for number, box in enumerate(ndimage.find_objects(parts), 1):
                # With what is around it, but not beyond the image: an object that the image cuts has no outline there.
                wide = tuple(slice(max(0, side.start - 1), side.stop + 1) for side in box)
                for there in self._parted(parts[wide] == number):
                    last, counts[name] = last + 1, counts[name] + 1
                    if last > LARGEST:
                        raise ValueError(f"more than {LARGEST} objects: say min_object=PIXELS to leave small ones out")
                    ids[wide][there] = last
        return ids, counts

    def _parted(self, there: np.ndarray) -> list[np.ndarray]:
        """The objects of a connected part, each as large as asked for."""
        found = _watershed(there) if self._split else [there]
        return [each for each in found if np.count_nonzero(each) >= self._smallest]


def _watershed(there: np.ndarray) -> list[np.ndarray]:
    from skimage.morphology import h_maxima  # here, because few need it
    from skimage.segmentation import watershed

    distance = ndimage.gaussian_filter(ndimage.distance_transform_edt(there), _SMOOTH) * there
    seeds, count = ndimage.label(h_maxima(distance, _DEPTH), np.ones((3, 3)))
    if count < 2:
        return [there]
    parts = watershed(-distance, seeds, mask=there)
    return [parts == number for number in range(1, count + 1)]
