"""What of a sample contradicts the description that its dataset gives of itself."""

import numpy as np
from torch import Tensor

from src.data.description import UNKNOWN, Description
from src.data.field import VALUES
from src.data.object_flaw import object_flaw
from src.data.sample import Sample, dense


def flaw(sample: Sample, description: Description) -> str | None:
    """The first contradiction in a sentence, or None: channels, range of values, sizes, labels, NaN, objects.

    Whatever read the sample, nothing gets past this that would end in a wrong loss, or in an assert of the device.
    """
    image = sample.image.as_subclass(Tensor).numpy()
    if len(image) != description.channels:
        return f"the image has {len(image)} channels, the dataset {description.channels}"
    if tuple(image.shape[1:]) != tuple(sample.size) or 0 in image.shape:
        return f"the image is {_size(image)}, announced were {sample.size[0]}x{sample.size[1]}"
    low, high = description.value_range
    if image.dtype != np.uint8 or low > 0 or high < 255:
        darkest, brightest = image.min(), image.max()
        if not low <= darkest <= brightest <= high:  # false for NaN too
            return f"the image holds {darkest} to {brightest}, black and white of the dataset are {low:g} and {high:g}"
    for name, field in dense(sample).items():
        if found := _of_field(name, field.as_subclass(Tensor).numpy(), sample, description):
            return found
    return None if sample.instances is None else object_flaw(sample.instances, sample.size, description)


def _of_field(name: str, field: np.ndarray, sample: Sample, description: Description) -> str | None:
    if tuple(field.shape[-2:]) != tuple(sample.size):
        return f"{name} is {_size(field)}, its image {sample.size[0]}x{sample.size[1]}"
    if name == "mask":
        return _of_mask(field, description)
    if name in VALUES:
        return _of_values(name, field)
    wrong = ~np.isfinite(field)
    if name == "depth":
        wrong |= field < 0
    return _told(name, field, wrong, "0 is unknown") if wrong.any() else None


def _of_values(name: str, field: np.ndarray) -> str | None:
    if len(field) != VALUES[name]:
        return f"{name} has {len(field)} channels, by `src.data.field.VALUES` {VALUES[name]}"
    wrong = np.isinf(field)
    return _told(name, field, wrong, "NaN is unknown") if wrong.any() else None


def _of_mask(mask: np.ndarray, description: Description) -> str | None:
    k = description.num_classes
    if description.multilabel != (mask.ndim == 3) or (description.multilabel and len(mask) != k):
        return f"the mask has the shape {mask.shape}, the dataset {k} classes, multilabel={description.multilabel}"
    top = 2 if description.multilabel else k  # values that are classes, or absent and present
    wrong = (mask != UNKNOWN) & ((mask < 0) | (mask >= top))
    return _told("mask", mask, wrong, f"0 to {top - 1} are classes, 255 is unknown") if wrong.any() else None


def _told(name: str, field: np.ndarray, wrong: np.ndarray, meant: str) -> str:
    *_, y, x = (int(place) for place in np.argwhere(wrong)[0])
    first = field[tuple(np.argwhere(wrong)[0])]
    return f"{name} holds {first} at (x={x}, y={y}), one of {np.count_nonzero(wrong)} wrong values: {meant}"


def _size(array: np.ndarray) -> str:
    return "x".join(str(length) for length in array.shape[-2:])
