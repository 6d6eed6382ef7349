"""What is counted of one sample; small, because it travels from the process that read it."""

import hashlib
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from src.data.count import class_pixels
from src.data.description import Description
from src.data.field import unknown
from src.data.sample import Sample, dense
from src.run.diagnosis.objects import Objects

_TOLERANCE = 0.01  # of the length of a normal, which is 1


@dataclass(frozen=True)
class Measure:
    """Facts about one sample."""

    name: str
    size: tuple[int, int]  # height and width
    kind: str  # channels and type of the image
    digest: str  # of the decoded picture: equal pictures have equal ones, however they were saved
    pixels: list[int]  # of each class
    unknown: dict[str, float]  # share of each dense field that nobody knows
    depth: tuple[float, float, float] | None = None  # nearest, median and farthest, metres
    off: float = 0.0  # share of the known normals that are not unit
    objects: Objects | None = None  # where the dataset has them


def measured(sample: Sample, description: Description) -> Measure:
    """Count one sample."""
    image = sample.image.as_subclass(Tensor).numpy()
    digest = hashlib.blake2b(np.ascontiguousarray(image), digest_size=16, key=str(image.shape).encode())
    plain = {name: value.as_subclass(Tensor) for name, value in dense(sample).items()}
    return Measure(
        name=sample.name,
        size=sample.size,
        kind=f"{len(image)} × {image.dtype}",
        digest=digest.hexdigest(),
        pixels=class_pixels(plain["mask"], description).tolist() if "mask" in plain else [],
        depth=_spread(plain["depth"]) if "depth" in plain else None,
        off=_off(plain["normals"]) if "normals" in plain else 0.0,
        unknown={name: float(unknown(name, value).float().mean()) for name, value in plain.items()},
        objects=None if sample.instances is None else Objects.of(sample.instances),
    )


def _spread(depth: Tensor) -> tuple[float, float, float] | None:
    known = depth[depth > 0]
    return (float(known.min()), float(known.median()), float(known.max())) if len(known) else None


def _off(normals: Tensor) -> float:
    length = normals.norm(dim=0)
    known = length[length > 0]
    return float(((known - 1).abs() > _TOLERANCE).float().mean()) if len(known) else 0.0
