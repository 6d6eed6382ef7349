"""Augmentation of a whole sample: random scale, crop, mirror, rotation, elastic deformation and colour jitter."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate
from torchvision import tv_tensors

from src.data.description import Description
from src.data.field import RIGID, kind
from src.data.sample import Instances, Sample, dense, with_dense
from src.data.transform.drawn import pixel_of_a_class
from src.data.transform.fit import extent
from src.data.transform.jitter import Jitter
from src.data.transform.moved import moved
from src.data.transform.span import Span
from src.data.transform.view import View


class Augment:
    """One random look at a sample, in its own types; image and targets get the same geometry and the same size.

    `size` (height, width) is what the whole image is seen at, as `Fit` does it in evaluation; None is the image's own.
    `crop` is the window cut from that, and None is as large. The random scale is relative to it: at scale 1 and without
    a crop the whole image is seen. Where the image is smaller than the window it stands at a random place in it, among
    black pixels and unknown targets.

    - scale: zoom, drawn uniformly. The camera is kept: depth is divided by it and normals turn (see `field`).
    - ratio: width over height is changed by this factor, drawn log-uniformly: as often wider as narrower.
    - flip, flip_vertical: probabilities. rotate: up to so many degrees either way.
    - elastic: standard deviation, in pixels, of the displacements of a 3×3 grid, bicubic in between (Ronneberger et
      al., 2015). Refused where the sample has depth or normals, or objects without masks.
    - class_aware: probability that the window is drawn among those that hold a pixel of a class, which is drawn
      uniformly among the sample's own, and the pixel likewise (rotate and elastic may still push it out).
    - brightness, contrast, saturation, hue: see `Jitter`.
    - min_object: pixels that must be left of an object; smaller ones are dropped (see `moved`).

    All randomness is torch's global generator.

    Raises:
        ValueError: an argument that is out of range, or a sample whose image and targets differ in size.
    """

    def __init__(
        self,
        *,
        size: Sequence[int] | None,
        description: Description,
        crop: Sequence[int] | None = None,
        scale: Sequence[float] = (0.8, 2.0),
        ratio: Sequence[float] = (1.0, 1.0),
        flip: float = 0.5,
        flip_vertical: float = 0.0,
        rotate: float = 0.0,
        elastic: float = 0.0,
        class_aware: float = 0.7,
        brightness: float = 0.2,
        contrast: float = 0.2,
        saturation: float = 0.0,
        hue: float = 0.0,
        min_object: int = 4,
    ) -> None:
        self.size = None if size is None else extent("size", size)
        self.crop = None if crop is None else extent("crop", crop)
        self.scale, self.ratio = _range("scale", scale), _range("ratio", ratio)
        self.flip, self.flip_vertical = _probability("flip", flip), _probability("flip_vertical", flip_vertical)
        self.class_aware = _probability("class_aware", class_aware)
        if not 0 <= rotate <= 180:
            raise ValueError(f"rotate={rotate} is no angle: give 0 (off) to 180 degrees")
        if not 0 <= elastic < math.inf:
            raise ValueError(f"elastic={elastic} is no standard deviation: give 0 (off) or more, in pixels")
        if min_object < 1:
            raise ValueError(f"min_object={min_object}: the pixels that must be left of an object, 1 or more")
        self.rotate, self.elastic = rotate, elastic
        self.flip_pairs, self.min_object = description.flip_pairs, min_object
        self.jitter = Jitter(description, brightness, contrast, saturation, hue)

    def __call__(self, sample: Sample) -> Sample:
        fields = {name: value.as_subclass(kind(name)) for name, value in dense(sample).items()}
        self._check(sample, fields)
        view = self._view(sample)
        seen = self.jitter(view.image(sample.image.as_subclass(Tensor)))
        return with_dense(
            sample,
            {name: view.field(value) for name, value in fields.items()},
            image=tv_tensors.Image(view.framed(seen, self.jitter.black)),
            instances=self._moved(sample.instances, view),
            camera=None if sample.camera is None else view.camera(sample.camera),
        )

    def _moved(self, objects: Instances | None, view: View) -> Instances | None:
        return None if objects is None else moved(objects, view, self.flip_pairs, self.min_object)

    def _check(self, sample: Sample, fields: dict[str, Tensor]) -> None:
        objects = sample.instances
        sized = (
            fields if objects is None or objects.masks is None else {**fields, "the masks of objects": objects.masks}
        )
        for name, value in sized.items():
            if value.shape[-2:] != sample.image.shape[-2:]:
                raise ValueError(
                    f"{name} of {sample.name!r} is {tuple(value.shape[-2:])} and its image "
                    f"{tuple(sample.image.shape[-2:])}: augmentation needs one size, so resize one of the two files"
                )
        rigid = [name for name, value in fields.items() if isinstance(value, RIGID)]
        if objects is not None and objects.masks is None:
            rigid.append("the boxes, without masks,")
        if self.elastic and rigid:
            raise ValueError(
                f"transform.elastic={self.elastic} bends {rigid[0]} of {sample.name!r} as no camera could: set it to 0"
            )

    def _view(self, sample: Sample) -> View:
        own = tuple(sample.image.shape[-2:])
        whole = self.size or own
        output = self.crop or whole
        zoom = _uniform(self.scale)
        stretch = math.exp(_uniform(tuple(map(math.log, self.ratio))) / 2)
        pixel = (None, None)
        if sample.mask is not None and _happens(self.class_aware):
            pixel = pixel_of_a_class(sample.mask.as_subclass(Tensor)) or pixel
        spans = []
        for axis, (scale, flip) in enumerate([(zoom / stretch, self.flip_vertical), (zoom * stretch, self.flip)]):
            window = max(1, round(output[axis] * own[axis] / whole[axis] / scale))
            start = _start(own[axis], window, pixel[axis])
            spans.append(Span.of(own[axis], window, start, output[axis], mirrored=_happens(flip)))
        angle = _uniform((-self.rotate, self.rotate))
        return View(*spans, zoom, angle, _displacement(output, self.elastic) if self.elastic else None)


def _start(source: int, window: int, pixel: int | None) -> int:
    """Where a random window begins: inside the source, or around it, and over the pixel if there is one."""
    low, high = sorted((0, source - window))
    if pixel is not None:
        low, high = max(low, pixel - window + 1), min(high, pixel)
    return int(torch.randint(low, high + 1, ()))


def _displacement(size: tuple[int, int], deviation: float) -> Float[Tensor, "2 h w"]:
    return interpolate(torch.randn(1, 2, 3, 3) * deviation, size, mode="bicubic", align_corners=True)[0]


def _happens(probability: float) -> bool:
    return torch.rand(()).item() < probability


def _uniform(bounds: tuple[float, float]) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * torch.rand(()).item()


def _range(name: str, bounds: Sequence[float]) -> tuple[float, float]:
    if len(bounds) != 2 or not 0 < bounds[0] <= bounds[1] < math.inf:
        raise ValueError(f"{name}={list(bounds)} is no range of factors: give [low, high] with 0 < low <= high")
    return float(bounds[0]), float(bounds[1])


def _probability(name: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"{name}={value} is no probability: give 0 (never) to 1 (always)")
    return value
