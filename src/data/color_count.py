"""What colours a set of images holds."""

import math
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Int64
from torch import Tensor

from src.data.description import Description
from src.data.gamut import SIDE, code
from src.data.lab import lab
from src.data.sample import Sample

_ENOUGH = 64 * 64  # pixels of an image, evenly spread, that tell its colours


@runtime_checkable
class _Samples(Protocol):
    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...


def color_pixels(samples: _Samples, description: Description) -> Int64[Tensor, " 65536"]:
    """Pixels of each code of `src.data.gamut` over all images, of each of which about 4096 are looked at."""
    low, high = description.value_range
    counts = torch.zeros(SIDE * SIDE, dtype=torch.int64)
    for index in range(len(samples)):
        image = samples[index].image.as_subclass(Tensor)
        step = max(1, math.isqrt(image.shape[-2] * image.shape[-1] // _ENOUGH))
        seen = (image[None, :, ::step, ::step].float() - low) / (high - low)
        counts += torch.bincount(code(lab(seen)[:, 1:]).flatten(), minlength=len(counts))
    return counts
