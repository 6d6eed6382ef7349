"""What is counted of one sample; small, because it travels from the process that read it."""

import hashlib
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from src.data.count import class_pixels
from src.data.description import UNKNOWN, Description
from src.data.sample import FIELDS, Sample


@dataclass(frozen=True)
class Measure:
    """Facts about one sample."""

    name: str
    size: tuple[int, int]  # height and width
    kind: str  # channels and type of the image
    digest: str  # of the decoded picture: equal pictures have equal ones, however they were saved
    pixels: list[int]  # of each class
    unknown: dict[str, float]  # share of each dense field that nobody knows


def measured(sample: Sample, description: Description) -> Measure:
    """Count one sample."""
    image = sample.image.as_subclass(Tensor).numpy()
    digest = hashlib.blake2b(np.ascontiguousarray(image), digest_size=16, key=str(image.shape).encode())
    fields = {name: getattr(sample, name) for name in FIELDS}
    plain = {name: value.as_subclass(Tensor) for name, value in fields.items() if value is not None}
    return Measure(
        name=sample.name,
        size=sample.size,
        kind=f"{len(image)} × {image.dtype}",
        digest=digest.hexdigest(),
        pixels=class_pixels(plain["mask"], description).tolist() if "mask" in plain else [],
        unknown={name: float(_unknown(name, value).float().mean()) for name, value in plain.items()},
    )


def _unknown(name: str, field: Tensor) -> Tensor:
    return field == UNKNOWN if name == "mask" else (field == 0).all(0)
