import pytest
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as f
from torchvision.transforms.v2.functional._utils import _KERNEL_REGISTRY

from src.data.field import TYPES, VALUES, VOID, Depth, Normals, Quantity, kind, rotation, unknown

EXACT = v2.InterpolationMode.NEAREST_EXACT
NEAREST = v2.InterpolationMode.NEAREST
# Each does to a field what torchvision does to an image without blending, apart from what the values turn into.
GEOMETRY = {
    "horizontal_flip": f.horizontal_flip,
    "vertical_flip": f.vertical_flip,
    "resize": lambda x: f.resize(x, [13, 5], interpolation=EXACT),
    "resize, shorter side": lambda x: f.resize(x, [4], interpolation=EXACT, max_size=7),
    "crop": lambda x: f.crop(x, 2, 3, 4, 3),
    "crop beyond": lambda x: f.crop(x, -2, 3, 4, 9),
    "center_crop": lambda x: f.center_crop(x, [20, 3]),
    "resized_crop": lambda x: f.resized_crop(x, 1, 2, 4, 3, [9, 9], interpolation=EXACT),
    "pad": lambda x: f.pad(x, [1, 2, 3, 4]),
    "rotate": lambda x: f.rotate(x, 30.0, interpolation=NEAREST),
    "rotate, expand": lambda x: f.rotate(x, 30.0, interpolation=NEAREST, expand=True),
    "affine": lambda x: f.affine(x, 20.0, [1, 2], 1.0, [0.0, 0.0], interpolation=NEAREST),
}


def depth(height: int = 10, width: int = 8) -> Tensor:
    return torch.arange(1.0, height * width + 1).reshape(1, height, width)


def normals(height: int = 10, width: int = 8) -> Tensor:
    torch.manual_seed(0)
    return torch.nn.functional.normalize(torch.randn(3, height, width), dim=0)


@pytest.mark.parametrize("name", GEOMETRY)
def test_depth_takes_the_place_that_the_image_takes(name):
    moved = GEOMETRY[name](Depth(depth()))
    assert type(moved) is Depth
    assert torch.equal(moved.as_subclass(Tensor), GEOMETRY[name](tv_tensors.Image(depth())).as_subclass(Tensor))


BENDING = {
    "elastic": lambda x: f.elastic(x, torch.full((1, 10, 8, 2), 0.3), interpolation=NEAREST),
    "perspective": lambda x: f.perspective(x, *CORNERS, interpolation=NEAREST),
    "affine, sheared": lambda x: f.affine(x, 0.0, [0, 0], 1.0, [20.0, 0.0], interpolation=NEAREST),
}
CORNERS = [[0, 0], [7, 0], [7, 9], [0, 9]], [[1, 0], [7, 1], [6, 9], [0, 8]]


@pytest.mark.parametrize("name", [*GEOMETRY, *BENDING])
def test_a_quantity_takes_the_place_that_the_image_takes_and_is_nan_outside(name):
    move = {**GEOMETRY, **BENDING}[name]
    moved = move(Quantity(depth()))
    assert type(moved) is Quantity
    placed = move(tv_tensors.Image(depth())).as_subclass(Tensor)
    assert torch.equal(moved.as_subclass(Tensor).nan_to_num(0.0), placed)
    assert torch.equal(moved.isnan().as_subclass(Tensor), placed == 0)


@pytest.mark.parametrize("name", GEOMETRY)
def test_the_z_of_normals_takes_the_place_that_the_image_takes(name):
    moved = GEOMETRY[name](Normals(normals()))
    assert type(moved) is Normals
    assert torch.equal(moved[2], GEOMETRY[name](tv_tensors.Image(normals()))[2])


@pytest.mark.parametrize(
    ("name", "degrees", "sides"),
    [
        ("horizontal_flip", 0.0, (-1, 1)),
        ("vertical_flip", 0.0, (1, -1)),
        ("resize", 0.0, (1, 1)),
        ("crop", 0.0, (1, 1)),
        ("rotate", -30.0, (1, 1)),
        ("affine", 20.0, (1, 1)),
    ],
)
def test_normals_turn_with_the_image(name, degrees, sides):
    placed = GEOMETRY[name](tv_tensors.Image(normals())).as_subclass(Tensor)
    x, y = torch.einsum("ij,jhw->ihw", rotation(degrees), placed[:2])
    expected = torch.stack([sides[0] * x, sides[1] * y, placed[2]])
    torch.testing.assert_close(GEOMETRY[name](Normals(normals())).as_subclass(Tensor), expected)


def test_rotation_is_clockwise_on_the_screen():
    right_becomes_down = rotation(90.0) @ torch.tensor([1.0, 0.0])
    torch.testing.assert_close(right_becomes_down, torch.tensor([0.0, 1.0]), atol=1e-6, rtol=0)


def test_a_zoom_with_the_camera_kept_divides_depth_and_steepens_normals():
    zoomed = f.affine(Depth(torch.full((1, 4, 4), 6.0)), 0.0, [0, 0], 2.0, [0.0, 0.0])
    assert torch.equal(zoomed.as_subclass(Tensor), torch.full((1, 4, 4), 3.0))
    flat = Normals(torch.tensor([0.6, 0.0, -0.8]).view(3, 1, 1).repeat(1, 4, 4))
    steep = f.affine(flat, 0.0, [0, 0], 2.0, [0.0, 0.0])[:, 1, 1]
    torch.testing.assert_close(steep.as_subclass(Tensor), torch.tensor([0.6, 0.0, -1.6]) / 2.92**0.5)


def test_unknown_stays_unknown_under_a_zoom():
    zoomed = f.affine(Normals(torch.zeros(3, 4, 4)), 0.0, [0, 0], 2.0, [0.0, 0.0])
    assert torch.equal(zoomed.as_subclass(Tensor), torch.zeros(3, 4, 4))


def test_padding_is_unknown_whatever_the_image_is_padded_with():
    padded = v2.Pad(2, fill=7, padding_mode="constant")(Depth(torch.ones(1, 2, 2)))
    assert padded.sum() == 4
    assert v2.Pad(2, padding_mode="reflect")(Normals(torch.ones(3, 4, 4))).sum() == 48


def test_void_as_fill_pads_a_mask_with_unknown_and_not_with_a_class():
    image, mask, deep = v2.Pad(1, fill=VOID)(
        tv_tensors.Image(torch.ones(3, 1, 1)), tv_tensors.Mask(torch.zeros(1, 1)), Depth(torch.ones(1, 1, 1))
    )
    assert image.sum() == 3
    assert mask.sum() == 8 * 255
    assert deep.sum() == 1


@pytest.mark.parametrize("field", [Depth, Normals])
@pytest.mark.parametrize(
    "transform",
    [
        v2.ElasticTransform(),
        v2.RandomPerspective(p=1.0),
        v2.RandomAffine(0, shear=(5, 5)),
        v2.FiveCrop(4),
        v2.TenCrop(4),
    ],
)
def test_what_no_camera_sees_is_refused(field, transform):
    seen = field(torch.ones(1 if field is Depth else 3, 64, 64))
    with pytest.raises(ValueError, match=rf"^{field.__name__.lower()} cannot follow an elastic, perspective or shear"):
        transform(tv_tensors.Image(torch.ones(3, 64, 64)), seen)


def test_no_kernel_that_masks_have_is_missing():
    neutral = {"get_size", "to_dtype"}  # ask for the size, and leave what is no image alone
    for field in (Depth, Normals, Quantity):
        missing = {
            functional.__name__
            for functional, kernels in _KERNEL_REGISTRY.items()
            if tv_tensors.Mask in kernels and field not in kernels
        }
        assert missing <= neutral


def test_a_mask_of_overlapping_classes_is_moved_like_a_mask():
    mask = tv_tensors.Mask(torch.arange(24, dtype=torch.uint8).reshape(2, 3, 4))
    assert torch.equal(f.horizontal_flip(mask).as_subclass(Tensor), mask.as_subclass(Tensor).flip(-1))
    assert set(f.resize(mask, [7, 9]).unique().tolist()) <= set(range(24))


@pytest.mark.parametrize("name", [*TYPES, *VALUES])
def test_padding_of_every_field_is_unknown_and_the_rest_is_not(name):
    known = torch.ones(VALUES.get(name, 3), 2, 2)
    padded = v2.Pad(1, fill=VOID)(kind(name)(known[0] if name == "mask" else known))
    inside = torch.zeros(4, 4, dtype=torch.bool)
    inside[1:3, 1:3] = True
    assert torch.equal(unknown(name, padded), ~inside)


def test_a_mask_of_overlapping_classes_is_unknown_class_by_class():
    mask = tv_tensors.Mask(torch.tensor([[[0, 255]], [[1, 0]]]))
    assert unknown("mask", mask).tolist() == [[[False, True]], [[False, False]]]
