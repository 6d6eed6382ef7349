"""One object and what surrounds it, the training images of DeconvNet's two stages (Noh et al., 2015)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Integer
from torch import Tensor
from torchvision import tv_tensors

from src.data.description import UNKNOWN, Description
from src.data.sample import Sample
from src.data.transform.fit import extent
from src.data.transform.span import Span
from src.data.transform.view import View


class Objects:
    """A window around a random object of the image, augmented; the whole image where there is none.

    An object is a connected region of a class of things, since masks do not tell touching ones apart. The window has
    the shape of `size`; beyond the image it is black and unknown. `data.repeat` says how many windows of each image an
    epoch draws. Stage 1 of the paper centres objects and calls everything else background. Stage 2 trains on proposals
    of EdgeBox that overlap an object; windows at random scales and places that contain one stand in for these.

    - enlarge: how much larger than the object's box the window is, drawn uniformly.
    - centred: whether the object stands in the window's middle; otherwise anywhere in it.
    - alone: whether other things become background, or unknown where no class is called so, as do other regions of the
      object's own class, which may be parts of it.
    - min_area: share of the image below which a region is not drawn.
    - augment: `augment(size=, description=)` builds what is done to the window, which it sees at `size`.

    All randomness is torch's global generator. Image and mask only: other fields are dropped.

    Raises:
        ValueError: no size, no things, overlapping masks, an argument out of range, or a sample without such a mask.
    """

    def __init__(
        self,
        augment: Callable[..., Callable[[Sample], Sample]],
        *,
        size: Sequence[int] | None,
        description: Description,
        enlarge: Sequence[float] = (1.2, 1.2),
        centred: bool = True,
        alone: bool = True,
        min_area: float = 0.001,
    ) -> None:
        if size is None:
            raise ValueError("transform=objects cuts windows of many sizes, seen at one: say data.size=[224,224]")
        if not description.things or description.multilabel:
            raise ValueError("transform=objects needs masks with one class per pixel, some of them things, as data=voc")
        if len(enlarge) != 2 or not 1 <= enlarge[0] <= enlarge[1]:
            raise ValueError(f"transform.enlarge={list(enlarge)}: [low, high] with 1 <= low <= high")
        self.size, self.enlarge, self.centred, self.alone = extent("data.size", size), enlarge, centred, alone
        self.things = [description.classes.index(name) for name in description.things]
        background = "background" in description.classes
        self.background = description.classes.index("background") if background else UNKNOWN
        self.min_area, self.black = min_area, description.value_range[0]
        self.augment = augment(size=size, description=description)

    def __call__(self, sample: Sample) -> Sample:
        if sample.instances is not None:
            raise ValueError(
                f"transform=objects cuts windows around regions of the mask, and the instances of {sample.name!r} do "
                "not follow: take transform=instance"
            )
        if sample.mask is None or sample.mask.shape != sample.image.shape[-2:]:
            raise ValueError(f"transform=objects needs a mask of the image's size, and {sample.name!r} has none")
        mask = sample.mask.as_subclass(Tensor)
        regions = _regions(mask, self.things, self.min_area * mask.numel())
        if not regions:
            return self.augment(_seen(sample, sample.image, sample.mask))
        region = regions[int(torch.randint(len(regions), ()))]
        view = View(*self._window(region, mask.shape))
        mask = self._alone(mask, region) if self.alone else mask
        image = view.framed(view.image(sample.image.as_subclass(Tensor)), self.black)
        return self.augment(_seen(sample, image, view.field(tv_tensors.Mask(mask))))

    def _window(self, region: "_Region", whole: Sequence[int]) -> list[Span]:
        """Rows and columns, as high to wide as `size`, that contain the region's box."""
        factor = self.enlarge[0] + (self.enlarge[1] - self.enlarge[0]) * torch.rand(()).item()
        unit = factor * max(length / side for length, side in zip(region.lengths, self.size, strict=True))
        spans = []
        for start, length, side, source in zip(region.starts, region.lengths, self.size, whole, strict=True):
            window = max(length, round(unit * side))
            before = (window - length) // 2 if self.centred else int(torch.randint(window - length + 1, ()))
            spans.append(Span.of(source, window, start - before, window))
        return spans

    def _alone(self, mask: Integer[Tensor, "h w"], region: "_Region") -> Integer[Tensor, "h w"]:
        others = torch.isin(mask, torch.tensor(self.things, dtype=mask.dtype))
        mask = torch.where(others, torch.where(mask == region.kind, UNKNOWN, self.background), mask).to(mask.dtype)
        return torch.where(torch.from_numpy(region.inside), region.kind, mask).to(mask.dtype)


@dataclass(frozen=True)
class _Region:
    """A connected region of one class."""

    kind: int  # its class
    starts: tuple[int, int]  # first row and column of its box
    lengths: tuple[int, int]  # height and width of its box
    inside: np.ndarray  # [h w] bool


def _regions(mask: Integer[Tensor, "h w"], things: Sequence[int], least: float) -> list[_Region]:
    """The connected regions (over corners, too) of at least so many pixels of each class of things."""
    found = []
    for kind in sorted(set(mask.unique().tolist()) & set(things)):
        count, labels, boxes, _ = cv2.connectedComponentsWithStats(
            (mask.numpy() == kind).astype(np.uint8), connectivity=8
        )
        for label in range(1, count):  # 0 is all else
            left, top, width, height, area = (int(number) for number in boxes[label])
            if area >= least:
                found.append(_Region(kind, (top, left), (height, width), labels == label))
    return found


def _seen(sample: Sample, image: Tensor, mask: Tensor) -> Sample:
    return Sample(tv_tensors.Image(image), tv_tensors.Mask(mask), name=sample.name, size=sample.size)
