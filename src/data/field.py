"""Dense fields as tensor types of torchvision.transforms.v2: how geometry acts on each, and what unknown looks like."""

import math
from typing import Any, NoReturn

import torch
from jaxtyping import Float
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


TYPES = {"mask": tv_tensors.Mask, "depth": Depth, "normals": Normals}  # of the dense fields of a Sample

# What unknown looks like, as torchvision's `fill`: its own default pads masks with class 0. An image is padded black,
# which is 0 for every type of file; `Augment` knows the value range and takes black from there.
VOID = {tv_tensors.Image: 0, tv_tensors.Mask: UNKNOWN, Depth: 0.0, Normals: 0.0, "others": 0}


def rotation(degrees: float) -> Float[Tensor, "2 2"]:
    """The matrix that turns (x right, y down) clockwise, as seen on the screen."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return torch.tensor([[cosine, -sine], [sine, cosine]])


# The kernels. Values are never blended across an edge, whatever interpolation the image gets, and what comes in from
# outside is unknown, whatever fill or padding mode the image gets. Arguments that thereby lose their meaning: `_`.


def _horizontal_flip(field: Depth | Normals) -> Depth | Normals:
    return _like(field, v2.horizontal_flip_image(_plain(field))).moved(torch.tensor([[-1.0, 0.0], [0.0, 1.0]]), 1.0)


def _vertical_flip(field: Depth | Normals) -> Depth | Normals:
    return _like(field, v2.vertical_flip_image(_plain(field))).moved(torch.tensor([[1.0, 0.0], [0.0, -1.0]]), 1.0)


def _resize(field: Depth | Normals, size: Any, max_size: int | None = None, **_: Any) -> Depth | Normals:
    # The camera is resized with the image (see Sample.camera), so values stay. "Exact" takes the pixel whose centre is
    # nearest, as the image's bilinear resize has it.
    nearest = InterpolationMode.NEAREST_EXACT
    return _like(field, v2.resize_image(_plain(field), size, nearest, max_size=max_size))


def _crop(field: Depth | Normals, top: int, left: int, height: int, width: int) -> Depth | Normals:
    return _like(field, v2.crop_image(_plain(field), top, left, height, width))


def _center_crop(field: Depth | Normals, output_size: list[int]) -> Depth | Normals:
    return _like(field, v2.center_crop_image(_plain(field), output_size))


def _resized_crop(field: Any, top: int, left: int, height: int, width: int, size: Any, **_: Any) -> Depth | Normals:
    return _resize(_crop(field, top, left, height, width), size)


def _pad(field: Depth | Normals, padding: Any, **_: Any) -> Depth | Normals:
    return _like(field, v2.pad_image(_plain(field), padding, fill=VOID[type(field)]))


def _rotate(field: Any, angle: float, expand: bool = False, center: Any = None, **_: Any) -> Depth | Normals:
    nearest = InterpolationMode.NEAREST
    turned = v2.rotate_image(_plain(field), angle, nearest, expand, center, fill=VOID[type(field)])
    return _like(field, turned).moved(rotation(-angle), 1.0)  # torchvision rotates counter-clockwise


def _affine(
    field: Any, angle: float, translate: Any, scale: float, shear: Any, center: Any = None, **_: Any
) -> Depth | Normals:
    if any(shear if isinstance(shear, list | tuple) else [shear]):
        _refuse(field)
    nearest = InterpolationMode.NEAREST
    args = (angle, translate, scale, shear, nearest, VOID[type(field)], center)
    return _like(field, v2.affine_image(_plain(field), *args)).moved(rotation(angle), scale)


def _refuse(field: Depth | Normals, *_: Any, **__: Any) -> NoReturn:
    raise ValueError(
        f"{type(field).__name__.lower()} cannot follow an elastic, perspective or sheared image, for no camera sees it "
        "so, nor a five- or ten-fold crop: leave that transform out, or drop the field from the sample"
    )


def _plain(field: Depth | Normals) -> Tensor:
    return field.as_subclass(Tensor)


def _like(field: Depth | Normals, plain: Tensor) -> Depth | Normals:
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
    v2.elastic: _refuse,
    v2.perspective: _refuse,
    v2.five_crop: _refuse,
    v2.ten_crop: _refuse,
}
# Without a kernel of its own a tensor type passes through torchvision's transforms unchanged, and nobody is told.
for _functional, _kernel in _KERNELS.items():
    for _type in (Depth, Normals):
        v2.register_kernel(_functional, _type)(_kernel)
