"""The transform of evaluation: the network sees the image at a given size, the targets stay as they are on file."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import torch
from jaxtyping import Num, UInt8
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision import tv_tensors

from src.data.camera import scaled
from src.data.sample import Sample

cv2.setNumThreads(0)  # a worker is one process per core, and OpenCV's own threads would outnumber the cores


class Fit:
    """Resize the image alone to `size` (height, width), by antialiased bilinear interpolation; None leaves it alone.

    The camera goes with the image. Targets keep the file's size: evaluation is done there, whatever the network saw.
    """

    def __init__(self, size: Sequence[int] | None) -> None:
        self.size = None if size is None else extent("size", size)

    def __call__(self, sample: Sample) -> Sample:
        if self.size is None:
            return sample
        camera = None if sample.camera is None else scaled(sample.camera, sample.image.shape[-2:], self.size)
        image = resized(sample.image.as_subclass(Tensor), self.size)
        return replace(sample, image=tv_tensors.Image(image), camera=camera)


def resized(image: Num[Tensor, " c i j"], size: tuple[int, int]) -> Num[Tensor, " c h w"]:
    """The image at another size, in its own type: bilinear, with a wider filter where it shrinks."""
    old = tuple(image.shape[-2:])
    if old == size:
        return image
    if image.dtype == torch.uint8 and old[0] <= size[0] and old[1] <= size[1]:
        return _enlarged(image, size)
    # torch's kernel for bytes is wrong, or raises, where the result is one pixel wide (seen in 2.15).
    if image.is_floating_point() or (image.dtype == torch.uint8 and size[1] > 1):
        return interpolate(image[None], size, mode="bilinear", antialias=True)[0]
    return resized(image.float(), size).round_().to(image.dtype)  # 16 bits are exact in float32


def _enlarged(image: UInt8[Tensor, " c i j"], size: tuple[int, int]) -> UInt8[Tensor, " c h w"]:
    """As torch has it within one grey level, in a third of the time."""
    result = np.empty((len(image), *size), np.uint8)
    for channel, plane in zip(result, image.numpy(), strict=True):
        cv2.resize(plane, size[::-1], dst=channel, interpolation=cv2.INTER_LINEAR)
    return torch.from_numpy(result)


def extent(key: str, size: Sequence[int]) -> tuple[int, int]:
    """`size` as a tuple, if it is a height and a width.

    Raises:
        ValueError: it is something else; the message names `key`.
    """
    if len(size) != 2 or any(int(length) != length or length < 1 for length in size):
        raise ValueError(f"{key}={list(size)} is no size: give [height, width], two whole numbers above 0")
    return int(size[0]), int(size[1])
