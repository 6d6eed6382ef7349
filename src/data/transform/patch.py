"""A patch around one pixel, for networks that are trained on what that pixel is."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Integer
from torch import Tensor
from torchvision import tv_tensors

from src.data.description import UNKNOWN, Description
from src.data.sample import Sample
from src.data.transform.drawn import pixel_of_a_class
from src.data.transform.fit import extent, resized
from src.data.transform.jitter import Jitter
from src.data.transform.span import Span


class Patch:
    """A square of the image around a random labelled pixel, at its centre; all else of the mask is unknown.

    `size` (height, width) is what the whole image is seen at before, as in evaluation; None is the image's own. Beyond
    its border the image is mirrored. `data.repeat` says how many patches of each image an epoch draws.

    - patch: height and width of the square, odd.
    - class_aware: probability that the pixel is drawn from a class that is drawn uniformly among the image's own;
      otherwise it is any labelled one.
    - flip, flip_vertical: probabilities. brightness, contrast, saturation, hue: see `Jitter`.

    All randomness is torch's global generator. Image and mask only: other fields are dropped.

    Raises:
        ValueError: an argument that is out of range, or a sample without a mask of its image's size.
    """

    def __init__(
        self,
        *,
        size: Sequence[int] | None,
        description: Description,
        patch: int = 33,
        class_aware: float = 0.5,
        flip: float = 0.5,
        flip_vertical: float = 0.0,
        brightness: float = 0.2,
        contrast: float = 0.2,
        saturation: float = 0.0,
        hue: float = 0.0,
    ) -> None:
        if patch < 3 or patch % 2 == 0:
            raise ValueError(f"transform.patch={patch}: an odd number of 3 or more, for a patch has a centre")
        for name, value in {"class_aware": class_aware, "flip": flip, "flip_vertical": flip_vertical}.items():
            if not 0 <= value <= 1:
                raise ValueError(f"transform.{name}={value} is no probability: give 0 (never) to 1 (always)")
        self.size = None if size is None else extent("size", size)
        self.patch, self.class_aware, self.flips = patch, class_aware, (flip_vertical, flip)
        self.jitter = Jitter(description, brightness, contrast, saturation, hue)

    def __call__(self, sample: Sample) -> Sample:
        if sample.instances is not None:
            raise ValueError(
                f"transform=patch labels one pixel, and the instances of {sample.name!r} do not follow: "
                "take transform=instance"
            )
        if sample.mask is None or sample.mask.shape[-2:] != sample.image.shape[-2:]:
            raise ValueError(f"transform=patch needs a mask of the image's size, and {sample.name!r} has none")
        size = self.size or tuple(sample.image.shape[-2:])
        image = resized(sample.image.as_subclass(Tensor), size)
        mask = _resized(sample.mask.as_subclass(Tensor), size)
        row, column = self._pixel(mask)
        rows, columns = (_around(*axis, self.patch) for axis in zip((row, column), size, self.flips, strict=True))
        patch = torch.from_numpy(image.numpy()[:, rows[:, None], columns])
        alone = torch.full((*mask.shape[:-2], self.patch, self.patch), UNKNOWN, dtype=mask.dtype)
        alone[..., self.patch // 2, self.patch // 2] = mask[..., row, column]
        return Sample(
            image=tv_tensors.Image(self.jitter(patch)),
            mask=tv_tensors.Mask(alone),
            name=sample.name,
            size=sample.size,
        )

    def _pixel(self, mask: Integer[Tensor, "*k h w"]) -> tuple[int, int]:
        """Row and column of a labelled pixel; of any if there is none."""
        aware = torch.rand(()).item() < self.class_aware
        found = pixel_of_a_class(mask) if aware else None
        if found:
            return found
        known = (mask != UNKNOWN).any(0) if mask.ndim == 3 else mask != UNKNOWN
        places = known.flatten().nonzero().flatten()
        count = len(places) or mask.shape[-2] * mask.shape[-1]
        drawn = int(torch.randint(count, ()))
        return divmod(int(places[drawn]) if len(places) else drawn, mask.shape[-1])


def _resized(mask: Integer[Tensor, "*k i j"], size: tuple[int, int]) -> Integer[Tensor, "*k h w"]:
    """The mask at another size: of the pixel whose area holds the centre."""
    rows, columns = (Span.of(old, old, 0, new).index() for old, new in zip(mask.shape[-2:], size, strict=True))
    return torch.from_numpy(mask.numpy()[..., rows[:, None], columns])


def _around(place: int, length: int, flip: float, cells: int) -> np.ndarray:
    """The indices of `cells` around a place, mirrored at the ends of `length`; backwards with probability `flip`."""
    index = np.pad(np.arange(length), cells // 2, mode="reflect")[place : place + cells]
    return index[::-1] if torch.rand(()).item() < flip else index
