"""Dense fields as tensor types of torchvision.transforms.v2: how geometry acts on each, and what unknown looks like."""

import math
from collections.abc import Callable
from typing import Any, NoReturn

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as v2

from src.data.description import UNKNOWN


class Depth(tv_tensors.TVTensor):
    """[1 h w] metres along the optical axis, 0 unknown."""

    def moved(self, turn: Float[Tensor, "2 2"], zoom: float) -> "Depth":
        """What the same camera sees of a scene turned or mirrored in the image plane and seen `zoom` times as large."""
        return tv_tensors.wrap(self.as_subclass(Tensor) / zoom, like=self)


class Normals(tv_tensors.TVTensor):
    """[3 h w] unit vectors in the camera frame (x right, y down, z forward), 0 unknown."""

    def moved(self, turn: Float[Tensor, "2 2"], zoom: float) -> "Normals":
        """As of `Depth`: (x, y) turn with the scene, z grows by `zoom` as the depth shrinks, and the length stays 1."""
        plain = self.as_subclass(Tensor)
        x, y = (row[0] * plain[0] + row[1] * plain[1] for row in turn.tolist())
        result = torch.stack([x, y, zoom * plain[2]])
        if zoom != 1:
            result = torch.nn.functional.normalize(result, dim=0)  # leaves the unknown, 0, at 0
        return tv_tensors.wrap(result, like=self)


class Quantity(tv_tensors.TVTensor):
    """[c h w] of the surface that is seen, the same from wherever it is seen, NaN unknown."""

    def moved(self, turn: Float[Tensor, "2 2"], zoom: float) -> "Quantity":
        """As of `Depth`: nothing changes."""
        return self


Dense = Depth | Normals | Quantity

# Further fields of a Sample that a dataset may provide, by their names, and how many channels each has; a new one is a
# line here.
VALUES = {
    "albedo": 3,  # linear RGB of the surface itself, 0 to 1
    "shading": 3,  # linear RGB of the light that arrives there
}

TYPES = {"mask": tv_tensors.Mask, "depth": Depth, "normals": Normals}  # of a Sample's own dense fields

# What unknown looks like, as torchvision's `fill`: its own default pads masks with class 0. An image is padded black,
# which is 0 for every type of file; `Augment` knows the value range and takes black from there.
VOID = {tv_tensors.Image: 0, tv_tensors.Mask: UNKNOWN, Depth: 0.0, Normals: 0.0, Quantity: math.nan, "others": 0}
RIGID = (Depth, Normals)  # bent or sheared, they would be those of no scene


def kind(name: str) -> type[tv_tensors.TVTensor]:
    """The tensor type of the dense field of that name."""
    return Quantity if name in VALUES else TYPES[name]


def unknown(name: str, field: Tensor) -> Bool[Tensor, " i j"] | Bool[Tensor, " k i j"]:
    """Where nobody knows the dense field of that name: of a mask of overlapping classes, each by itself."""
    plain, void = field.as_subclass(Tensor), VOID[kind(name)]
    if name == "mask":
        return plain == void
    return (plain.isnan() if math.isnan(void) else plain == void).all(0)


def rotation(degrees: float) -> Float[Tensor, "2 2"]:
    """The matrix that turns (x right, y down) clockwise, as seen on the screen."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[cosine, -sine], [sine, cosine]])


# The kernels. Values are never blended across an edge, whatever interpolation the image gets, and what comes in from
# outside is unknown, whatever fill or padding mode the image gets. Arguments that thereby lose their meaning: `_`.


def _horizontal_flip(field: Dense) -> Dense:
    return _like(field, v2.horizontal_flip_image(_plain(field))).moved(torch.tensor([[-1.0, 0.0], [0.0, 1.0]]), 1.0)


def _vertical_flip(field: Dense) -> Dense:
    return _like(field, v2.vertical_flip_image(_plain(field))).moved(torch.tensor([[1.0, 0.0], [0.0, -1.0]]), 1.0)


def _resize(field: Dense, size: Any, max_size: int | None = None, **_: Any) -> Dense:
    # The camera is resized with the image (see Sample.camera), so values stay. "Exact" takes the pixel whose centre is
    # nearest, as the image's bilinear resize has it.
    nearest = InterpolationMode.NEAREST_EXACT
    return _like(field, v2.resize_image(_plain(field), size, nearest, max_size=max_size))


def _crop(field: Dense, top: int, left: int, height: int, width: int) -> Dense:
    return _cut(field, v2.crop_image, top, left, height, width)


def _center_crop(field: Dense, output_size: list[int]) -> Dense:
    return _cut(field, v2.center_crop_image, output_size)


def _cut(field: Dense, kernel: Callable[..., Tensor], *args: Any) -> Dense:
    """What a kernel makes of the field that fills with 0 where it reaches beyond the edges."""
    inside = kernel(torch.ones(1, *field.shape[-2:]), *args) > 0
    return _like(field, torch.where(inside, kernel(_plain(field), *args), VOID[type(field)]))


def _resized_crop(field: Any, top: int, left: int, height: int, width: int, size: Any, **_: Any) -> Dense:
    return _resize(_crop(field, top, left, height, width), size)


def _pad(field: Dense, padding: Any, **_: Any) -> Dense:
    return _like(field, v2.pad_image(_plain(field), padding, fill=VOID[type(field)]))


def _rotate(field: Any, angle: float, expand: bool = False, center: Any = None, **_: Any) -> Dense:
    nearest = InterpolationMode.NEAREST
    turned = v2.rotate_image(_plain(field), angle, nearest, expand, center, fill=VOID[type(field)])
    return _like(field, turned).moved(rotation(-angle), 1.0)  # torchvision rotates counter-clockwise


def _affine(field: Any, angle: float, translate: Any, scale: float, shear: Any, center: Any = None, **_: Any) -> Dense:
    if isinstance(field, RIGID) and any(shear if isinstance(shear, list | tuple) else [shear]):
        _refuse(field)
    nearest = InterpolationMode.NEAREST
    args = (angle, translate, scale, shear, nearest, VOID[type(field)], center)
    return _like(field, v2.affine_image(_plain(field), *args)).moved(rotation(angle), scale)


def _elastic(field: Quantity, displacement: Tensor, *_: Any, **__: Any) -> Quantity:
    nearest = InterpolationMode.NEAREST
    return _like(field, v2.elastic_image(_plain(field), displacement, nearest, fill=VOID[Quantity]))


def _perspective(
    field: Quantity, startpoints: Any, endpoints: Any, *_: Any, coefficients: Any = None, **__: Any
) -> Quantity:
    args = (startpoints, endpoints, InterpolationMode.NEAREST, VOID[Quantity], coefficients)
    return _like(field, v2.perspective_image(_plain(field), *args))


def _refuse(field: Dense, *_: Any, **__: Any) -> NoReturn:
    raise ValueError(
        f"{type(field).__name__.lower()} cannot follow an elastic, perspective or sheared image, for no camera sees it "
        "so, nor a five- or ten-fold crop: leave that transform out, or drop the field from the sample"
    )


def _plain(field: Dense) -> Tensor:
    return field.as_subclass(Tensor)


def _like(field: Dense, plain: Tensor) -> Dense:
    return tv_tensors.wrap(plain, like=field)


_KERNELS = {
    v2.horizontal_flip: _horizontal_flip,
    v2.vertical_flip: _vertical_flip,
    v2.resize: _resize,
    v2.crop: _crop,
    v2.center_crop: _center_crop,
    v2.resized_crop: _resized_crop,
    v2.pad: _pad,
    v2.rotate: _rotate,
    v2.affine: _affine,
    v2.five_crop: _refuse,
    v2.ten_crop: _refuse,
}
_BENDING = {v2.elastic: _elastic, v2.perspective: _perspective}
# Without a kernel of its own a tensor type passes through torchvision's transforms unchanged, and nobody is told.
for _type in (*RIGID, Quantity):
    _bending = dict.fromkeys(_BENDING, _refuse) if _type in RIGID else _BENDING
    for _functional, _kernel in {**_KERNELS, **_bending}.items():
        v2.register_kernel(_functional, _type)(_kernel)
