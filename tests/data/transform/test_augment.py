import inspect
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf
from torch import Tensor
from torchvision import tv_tensors

from src.data.description import Description
from src.data.field import Depth, Normals
from src.data.sample import Instances, Sample
from src.data.transform import Augment

CONF = Path(__file__).resolve().parents[3] / "conf" / "transform"
OFF = {"scale": (1.0, 1.0), "flip": 0.0, "brightness": 0.0, "contrast": 0.0}
MOVES = {
    "scale": {"scale": (0.4, 3.0)},
    "enlarge": {"scale": (2.0, 2.0)},
    "shrink": {"scale": (0.3, 0.6), "ratio": (0.5, 2.0)},
    "flip": {"flip": 1.0},
    "flip both": {"flip": 1.0, "flip_vertical": 1.0, "scale": (0.7, 1.5)},
    "rotate": {"rotate": 180.0},
    "elastic": {"elastic": 6.0},
    "crop": {"crop": (40, 33)},
    "all": {
        "scale": (0.4, 2.5),
        "ratio": (0.7, 1.4),
        "flip": 0.5,
        "flip_vertical": 0.5,
        "rotate": 30.0,
        "elastic": 3.0,
    },
}


def described(channels: int = 3, value_range: tuple[float, float] = (0.0, 255.0)) -> Description:
    return Description(fields=("image", "mask"), channels=channels, value_range=value_range)


def augment(size: tuple[int, int] | None = None, data: Description | None = None, **changes) -> Augment:
    return Augment(size=size, description=data or described(), **{**OFF, **changes})


def coordinates(height: int, width: int) -> Tensor:
    """[2 h w] the column and the row of each pixel, from 1 on: 0 is what is padded."""
    return torch.stack(torch.meshgrid(torch.arange(width), torch.arange(height), indexing="xy")) + 1


def plain(height: int, width: int, channels: int = 3, dtype: torch.dtype = torch.uint8) -> Sample:
    image = torch.randint(1, 256, (channels, height, width)).to(dtype)
    mask = torch.randint(0, 11, (height, width), dtype=torch.uint8)
    return Sample(image=tv_tensors.Image(image), mask=tv_tensors.Mask(mask), name="a", size=(height, width))


def interior(seen: Tensor, margin: int = 4) -> Tensor:
    """Where nothing unknown, nor an edge of the output, is within `margin` pixels."""
    hidden = torch.nn.functional.pad((~seen).float()[None], [margin] * 4, value=1.0)
    return torch.nn.functional.max_pool2d(hidden, 2 * margin + 1, 1)[0] == 0


@pytest.mark.parametrize("size", [None, (60, 90), (130, 100)])
@pytest.mark.parametrize("move", MOVES)
def test_image_and_mask_stay_aligned(move, size):
    place = coordinates(80, 120)
    data = described(channels=2, value_range=(0.0, 1000.0))
    exact = Sample(image=tv_tensors.Image(place.float()), mask=tv_tensors.Mask(place.to(torch.uint8)))
    rounded = replace(exact, image=tv_tensors.Image(place.to(torch.uint8)))
    transform = augment(size, data, **MOVES[move])
    compared = 0
    for seed in range(6):
        for sample, tolerance in ((exact, 0.6), (rounded, 1.1)):
            torch.manual_seed(seed)
            moved = transform(sample)
            image, mask = moved.image.as_subclass(Tensor).float(), moved.mask.as_subclass(Tensor).float()
            inside = interior((mask != 255).all(0))
            error = (image - mask).abs()[:, inside]
            assert (error <= tolerance).all()
            compared += int(inside.sum())
    assert compared > 5000


@pytest.mark.parametrize("move", MOVES)
def test_the_padding_is_unknown_in_the_mask_and_black_in_the_image(move):
    torch.manual_seed(0)
    for _ in range(6):
        moved = augment(**MOVES[move])(plain(40, 50))
        assert torch.equal(moved.mask.as_subclass(Tensor) == 255, (moved.image.as_subclass(Tensor) == 0).all(0))


def test_the_padding_is_black_in_the_values_of_the_data_and_under_jitter():
    data = described(channels=1, value_range=(-5.0, 5.0))
    sample = Sample(image=tv_tensors.Image(torch.ones(1, 20, 20)), mask=tv_tensors.Mask(torch.zeros(20, 20).byte()))
    moved = augment(None, data, scale=(0.5, 0.5), contrast=0.5, brightness=0.5)(sample)
    assert torch.equal(moved.image[0].as_subclass(Tensor) == -5, moved.mask.as_subclass(Tensor) == 255)
    assert (moved.mask == 255).sum() == 300


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.float32])
@pytest.mark.parametrize("channels", [1, 3, 4, 6])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 400), (37, 23)])
def test_types_and_sizes_are_as_promised(dtype, channels, height, width):
    torch.manual_seed(0)
    for size, crop in [(None, None), ((24, 32), None), ((50, 20), (8, 9)), (None, (16, 16)), ((3, 1), None)]:
        for changes in [{}, {"rotate": 20.0, "elastic": 2.0}]:
            transform = Augment(size=size, crop=crop, description=described(channels), class_aware=0.5, **changes)
            moved = transform(plain(height, width, channels, dtype))
            expected = crop or size or (height, width)
            assert moved.image.shape == (channels, *expected)
            assert moved.image.dtype == dtype
            assert moved.mask.shape == expected
            assert moved.mask.dtype == torch.uint8
            assert {type(moved.image), type(moved.mask)} == {tv_tensors.Image, tv_tensors.Mask}
            assert moved.size == (height, width)
            assert set(moved.mask.unique().tolist()) <= {*range(11), 255}


@pytest.mark.parametrize("move", [{}, {"rotate": 1.0}])
def test_fine_texture_does_not_alias_where_it_shrinks(move):
    checkers = (coordinates(60, 60).sum(0) % 2 * 200).byte().expand(3, 60, 60).contiguous()
    moved = augment(scale=(0.3, 0.3), **move)(replace(plain(60, 60), image=tv_tensors.Image(checkers)))
    inside = interior(moved.mask.as_subclass(Tensor) != 255, margin=2)
    assert (moved.image.as_subclass(Tensor).float()[:, inside] - 100).abs().max() < 20


def test_without_any_change_the_whole_image_is_seen():
    sample = plain(9, 12)
    moved = augment()(sample)
    assert torch.equal(moved.image, sample.image)
    assert torch.equal(moved.mask, sample.mask)


def test_the_seed_alone_decides():
    transform = Augment(size=None, description=described(), rotate=5.0, class_aware=0.5, elastic=2.0, hue=0.1)
    sample, results = plain(30, 40), []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        random.seed(len(results))
        np.random.seed(len(results))
        results.append(transform(sample))
    assert torch.equal(results[0].image, results[1].image)
    assert torch.equal(results[0].mask, results[1].mask)
    assert not torch.equal(results[0].image, results[2].image)


def test_the_sample_itself_is_left_alone():
    sample = plain(20, 20)
    before = sample.image.clone(), sample.mask.clone()
    Augment(size=(30, 30), description=described(), rotate=20.0)(sample)
    Augment(size=None, description=described(), **{**OFF, "brightness": 0.5})(sample)
    assert torch.equal(sample.image, before[0])
    assert torch.equal(sample.mask, before[1])


@pytest.mark.parametrize("overlapping", [False, True])
def test_class_aware_crops_find_a_rare_class(overlapping):
    rare = torch.zeros(64, 64, dtype=torch.uint8)
    rare[5:30] = 255
    rare[50, 9] = 1
    mask = torch.stack([torch.where(rare == 1, 0, 1).byte(), rare, rare * 0]) if overlapping else rare
    sample = replace(plain(64, 64), mask=tv_tensors.Mask(mask))

    def found(probability: float) -> int:
        torch.manual_seed(0)
        transform = augment(crop=(8, 8), scale=(0.8, 1.2), class_aware=probability)
        masks = [transform(sample).mask for _ in range(100)]
        return sum(bool(((mask[1] if overlapping else mask) == 1).any()) for mask in masks)

    assert found(0.0) < 15
    assert 30 < found(1.0) < 75  # one of two classes
    assert found(0.0) < found(0.5) < found(1.0)


def test_a_mask_that_is_all_unknown_is_cropped_like_any_other():
    sample = replace(plain(20, 20), mask=tv_tensors.Mask(torch.full((20, 20), 255, dtype=torch.uint8)))
    assert (augment(crop=(8, 8), class_aware=1.0)(sample).mask == 255).all()


def test_a_sample_without_targets_and_with_objects():
    objects = Instances(torch.zeros(1, 4), torch.zeros(1, dtype=torch.int64), torch.zeros(1, 9, 12))
    moved = augment((4, 5))(replace(plain(9, 12), mask=None, instances=objects))
    assert moved.image.shape == (3, 4, 5)
    assert moved.mask is None
    assert moved.instances is None


def plane(height: int = 90, width: int = 120) -> tuple[Sample, Tensor]:
    """A wall that fills the image, with its exact depth and normals."""
    camera = torch.tensor([[100.0, 0.0, 55.0], [0.0, 100.0, 48.0], [0.0, 0.0, 1.0]])
    normal = torch.nn.functional.normalize(torch.tensor([0.3, -0.4, -1.0]), dim=0)
    x, y = coordinates(height, width) - 1
    rays = torch.linalg.inv(camera) @ torch.stack([x.flatten(), y.flatten(), torch.ones(height * width)]).float()
    depth = (-5 / (normal @ rays)).reshape(1, height, width)  # normal · point = -5
    normals = normal[:, None, None].expand(3, height, width).clone()
    image = tv_tensors.Image(torch.zeros(3, height, width, dtype=torch.uint8))
    return Sample(image=image, depth=Depth(depth), normals=Normals(normals), camera=camera), normal


def normal_of(depth: Tensor, camera: Tensor) -> Tensor:
    """The normal of the plane that fits the depth best: its inverse is linear in the pixel."""
    y, x = (depth[0] > 0).nonzero(as_tuple=True)
    pixels = torch.stack([x, y, torch.ones_like(x)], 1).double()
    gradient = torch.linalg.lstsq(pixels, 1 / depth[0, y, x].double()[:, None]).solution[:, 0]
    return -torch.nn.functional.normalize(camera.double().T @ gradient, dim=0)


# Where output pixels show a source pixel's very middle the fit is exact; elsewhere depth is that of the nearest one.
@pytest.mark.parametrize(
    ("move", "tolerance"),
    [
        ({"flip": 1.0}, 2e-4),
        ({"flip": 1.0, "flip_vertical": 1.0}, 2e-4),
        ({"crop": (30, 50)}, 2e-4),
        ({"crop": (100, 150)}, 2e-4),
        ({"scale": (3.0, 3.0)}, 2e-4),
        ({"scale": (1 / 3, 1 / 3), "flip": 1.0}, 2e-4),
        ({"rotate": 40.0}, 1e-3),
        ({"rotate": 180.0, "flip": 1.0, "scale": (1.0, 3.0)}, 1e-3),
        ({"ratio": (1.2, 2.0), "scale": (1.5, 2.5)}, 3e-3),
    ],
)
def test_normals_from_the_moved_depth_are_the_moved_normals(move, tolerance):
    sample, before = plane()
    torch.manual_seed(1)
    for _ in range(4):
        moved = augment(**move)(sample)
        seen = moved.depth[0].as_subclass(Tensor) > 0
        normals = moved.normals.as_subclass(Tensor)
        assert (type(moved.depth), type(moved.normals)) == (Depth, Normals)
        assert torch.equal(normals.abs().sum(0) > 0, seen)
        after = normals[:, seen].double().mean(1)
        torch.testing.assert_close(
            normal_of(moved.depth.as_subclass(Tensor), moved.camera), after, atol=tolerance, rtol=0
        )
        assert move.keys() == {"crop"} or (after - before).abs().max() > 0.05


def test_a_zoom_keeps_the_focal_length_and_brings_the_scene_closer():
    sample, _ = plane()
    moved = augment(scale=(2.0, 2.0))(sample)
    torch.testing.assert_close(moved.camera[:2, :2], sample.camera[:2, :2])
    assert set((moved.depth * 2).unique().tolist()) <= set(sample.depth.unique().tolist())


def test_another_size_is_another_camera_and_the_same_depth():
    sample, _ = plane()
    moved = augment(size=(45, 60))(sample)
    expected = torch.tensor([[50.0, 0.0, 27.25], [0.0, 50.0, 23.75], [0.0, 0.0, 1.0]])
    torch.testing.assert_close(moved.camera, expected)
    assert set(moved.depth.unique().tolist()) <= set(sample.depth.unique().tolist())


@pytest.mark.parametrize("field", ["depth", "normals"])
def test_elastic_is_refused_for_depth_and_normals(field):
    sample = replace(plane()[0], **{"depth": None, "normals": None, field: getattr(plane()[0], field)})
    with pytest.raises(ValueError, match=rf"^transform.elastic=3.0 bends {field} of '' as no camera could"):
        augment(elastic=3.0)(sample)


def test_a_bent_image_has_no_camera():
    assert augment(elastic=3.0)(replace(plain(9, 12), camera=torch.eye(3))).camera is None


def test_sizes_that_differ_are_refused():
    sample = replace(plain(9, 12), mask=tv_tensors.Mask(torch.zeros(12, 9, dtype=torch.uint8)))
    with pytest.raises(ValueError, match=r"^mask of 'a' is \(12, 9\) and its image \(9, 12\)"):
        augment()(sample)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale", (2.0, 0.5)),
        ("scale", (0.0, 1.0)),
        ("scale", (1.0,)),
        ("ratio", (-1.0, 1.0)),
        ("flip", 1.5),
        ("flip_vertical", -0.1),
        ("class_aware", 2.0),
        ("rotate", 181.0),
        ("elastic", -1.0),
        ("size", (0, 5)),
        ("crop", (5,)),
        ("brightness", -1.0),
    ],
)
def test_an_argument_out_of_range_is_refused_when_built(name, value):
    with pytest.raises(ValueError, match=rf"^{name}="):
        augment(**{name: value})


@pytest.mark.parametrize("preset", sorted(path.stem for path in CONF.glob("*.yaml")))
def test_each_preset_transforms_a_sample(preset):
    with initialize_config_dir(str(CONF.parent), version_base="1.3"):
        config = compose(overrides=[f"+transform={preset}"]).transform
    build = instantiate(config, _convert_="all")
    size = (33, 33) if preset == "patch" else (16, 20)  # which has a size of its own
    classes = tuple("abcdefghijk")
    solid = replace(described(), classes=classes, colors=((0, 0, 0),) * len(classes), things=classes[1:])
    assert build(size=(16, 20), description=solid)(plain(30, 40)).image.shape == (3, *size)
    if preset == "none":
        sample = plain(30, 40)
        assert torch.equal(build(size=None, description=described())(sample).image, sample.image)


def test_the_default_preset_lists_the_defaults():
    listed = OmegaConf.to_container(OmegaConf.load(CONF / "default.yaml"))
    parameters = inspect.signature(Augment).parameters.items()
    defaults = {key: parameter.default for key, parameter in parameters if key not in ("size", "description")}
    defaults = {key: list(value) if isinstance(value, tuple) else value for key, value in defaults.items()}
    assert {key: value for key, value in listed.items() if not key.startswith("_")} == defaults
