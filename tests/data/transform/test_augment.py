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

from src.data.box import box
from src.data.description import Description
from src.data.field import Depth, Normals, Quantity
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


def nucleus(height: int, width: int) -> Sample:
    """As `plain`, with one object."""
    masks = torch.zeros(1, height, width, dtype=torch.bool)
    masks[0, : height // 2, : width // 2] = True
    boxes = torch.tensor([[0.0, 0.0, width // 2, height // 2]])
    return replace(plain(height, width), instances=Instances(boxes, torch.ones(1, dtype=torch.int64), masks))


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
def test_further_fields_go_where_the_mask_goes_bent_ones_too(move):
    sample = replace(plain(40, 50), mask=tv_tensors.Mask(torch.randint(0, 200, (40, 50)).byte()))
    sample = replace(sample, values={"albedo": Quantity(sample.mask.float().as_subclass(Tensor).repeat(3, 1, 1))})
    torch.manual_seed(0)
    for _ in range(6):
        moved = augment(**MOVES[move])(sample)
        albedo, mask = moved.values["albedo"], moved.mask.as_subclass(Tensor)
        assert type(albedo) is Quantity
        assert torch.equal(albedo.as_subclass(Tensor).nan_to_num(255.0), mask.float().repeat(3, 1, 1))


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


def cells(height: int, width: int, side: int = 9) -> Sample:
    """A grid of squares as objects, each with a keypoint; the mask holds their numbers, the image coordinates."""
    place = coordinates(height, width)
    columns = -(-width // side)
    mask = ((place[1] - 1) // side) * columns + (place[0] - 1) // side
    count = int(mask.max()) + 1
    masks = mask == torch.arange(count)[:, None, None]
    boxes = torch.tensor([box(each) for each in masks.numpy()], dtype=torch.float32)
    keypoints = torch.cat([boxes[:, None, :2] + 2.3, torch.full((count, 1, 1), 2.0)], -1)
    return Sample(
        image=tv_tensors.Image(place.float()),
        mask=tv_tensors.Mask(mask.byte()),
        instances=Instances(boxes, torch.arange(count), masks, keypoints=keypoints, areas=torch.ones(count)),
        name="cells",
        size=(height, width),
    )


@pytest.mark.parametrize("size", [None, (60, 91), (130, 100)])
@pytest.mark.parametrize("move", MOVES)
def test_painted_objects_are_the_transformed_mask(move, size):
    sample, transform = cells(80, 121), augment(size, described(2, (0.0, 1000.0)), min_object=1, **MOVES[move])
    for seed in range(4):
        torch.manual_seed(seed)
        moved = transform(sample)
        mask, objects = moved.mask.as_subclass(Tensor), moved.instances
        assert objects.labels.tolist() == sorted(set(mask.unique().tolist()) - {255})
        assert torch.equal(objects.masks, mask == objects.labels[:, None, None])
        assert objects.boxes.tolist() == [list(map(float, box(each))) for each in objects.masks.numpy()]
        before = sample.instances.masks[objects.labels].flatten(1).sum(1)
        torch.testing.assert_close(objects.areas, objects.masks.flatten(1).sum(1) / before)


@pytest.mark.parametrize("size", [None, (60, 91), (130, 100)])
@pytest.mark.parametrize("move", MOVES)
def test_keypoints_stay_on_what_they_mark_to_a_fraction_of_a_pixel(move, size):
    sample, transform = cells(80, 121), augment(size, described(2, (0.0, 1000.0)), **MOVES[move])
    compared = 0
    for seed in range(4):
        torch.manual_seed(seed)
        moved = transform(sample)
        image, objects = moved.image.as_subclass(Tensor), moved.instances
        sure = interior((image > 0).all(0), margin=3)
        visible = objects.keypoints[:, 0, 2] > 0
        points = objects.keypoints[visible, 0, :2]
        inside = sure[points[:, 1].long(), points[:, 0].long()]
        grid = 2 * points / torch.tensor([image.shape[2], image.shape[1]]) - 1
        seen = torch.nn.functional.grid_sample(image[None], grid[None, None], align_corners=False)[0, :, 0].T
        meant = sample.instances.keypoints[objects.labels[visible], 0, :2] + 0.5  # the first pixel's centre holds 1
        torch.testing.assert_close(seen[inside], meant[inside], atol=0.1, rtol=0)
        compared += int(inside.sum())
    assert compared > 30


def test_a_sample_without_targets_or_objects():
    moved = augment((4, 5))(replace(plain(9, 12), mask=None))
    assert moved.image.shape == (3, 4, 5)
    assert moved.mask is None
    assert moved.instances is None
    empty = Instances(torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), torch.zeros(0, 9, 12, dtype=torch.bool))
    moved = augment((4, 5))(replace(plain(9, 12), instances=empty))
    assert (moved.instances.boxes.shape, moved.instances.masks.shape) == ((0, 4), (0, 4, 5))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 400), (37, 23)])
def test_objects_fill_a_small_image_or_a_large_window(height, width):
    torch.manual_seed(0)
    for size, crop in [(None, None), ((24, 32), None), ((50, 20), (8, 9)), (None, (16, 16)), ((3, 1), None)]:
        for changes in [{}, {"rotate": 20.0, "elastic": 2.0}]:
            transform = Augment(
                size=size, crop=crop, description=described(2, (0.0, 1000.0)), class_aware=0.0, **changes
            )
            moved = transform(cells(height, width))
            assert moved.instances.masks.shape[1:] == (crop or size or (height, width))
            assert all(area >= 4 for area in moved.instances.masks.flatten(1).sum(1))


def test_objects_change_nothing_about_the_rest():
    sample, description = cells(80, 121), described(2, (0.0, 1000.0))
    sample = replace(sample, camera=torch.tensor([[100.0, 0.0, 60.0], [0.0, 100.0, 40.0], [0.0, 0.0, 1.0]]))
    results = []
    for each in (sample, replace(sample, instances=None)):
        torch.manual_seed(3)
        results.append(augment(None, description, rotate=20.0, scale=(0.5, 2.0), contrast=0.3)(each))
    assert torch.equal(results[0].image, results[1].image)
    assert torch.equal(results[0].mask, results[1].mask)
    assert torch.equal(results[0].camera, results[1].camera)


def test_keypoints_are_exchanged_by_the_pairs_of_the_description():
    described_pairs = replace(
        described(2, (0.0, 1000.0)), keypoints=("l", "r"), flip_pairs=((0, 1),), sigmas=(1.0, 1.0)
    )
    sample = cells(20, 30)
    keypoints = sample.instances.keypoints.repeat(1, 2, 1)
    keypoints[:, 1, 0] += 3
    sample = replace(sample, instances=replace(sample.instances, keypoints=keypoints))
    moved = augment(None, described_pairs, flip=1.0)(sample).instances.keypoints
    torch.testing.assert_close(moved[0], torch.tensor([[30 - 5.3, 2.3, 2.0], [30 - 2.3, 2.3, 2.0]]))


def test_elastic_is_refused_for_boxes_without_masks():
    sample = replace(cells(20, 30), instances=replace(cells(20, 30).instances, masks=None))
    assert len(augment(None, described(2))(sample).instances) == 12
    with pytest.raises(ValueError, match=r"^transform.elastic=3.0 bends the boxes, without masks, of 'cells'"):
        augment(None, described(2), elastic=3.0)(sample)


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
    objects = Instances(torch.zeros(1, 4), torch.zeros(1, dtype=torch.int64), torch.zeros(1, 12, 9))
    with pytest.raises(ValueError, match=r"^the masks of objects of 'a' is \(12, 9\) and its image \(9, 12\)"):
        augment()(replace(plain(9, 12), instances=objects))


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
        ("min_object", 0),
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
    transform = build(size=(16, 20), description=solid)
    sample = plain(30, 40) if preset in ("patch", "objects", "proposals") else nucleus(30, 40)
    moved = transform(sample, *[sample] * getattr(transform, "partners", 0))
    assert moved.image.shape == (3, *size)
    assert (moved.instances is None) == (sample.instances is None)
    if preset == "none":
        sample = plain(30, 40)
        assert torch.equal(build(size=None, description=described())(sample).image, sample.image)


def test_the_default_preset_lists_the_defaults():
    listed = OmegaConf.to_container(OmegaConf.load(CONF / "default.yaml"))
    parameters = inspect.signature(Augment).parameters.items()
    defaults = {key: parameter.default for key, parameter in parameters if key not in ("size", "description")}
    defaults = {key: list(value) if isinstance(value, tuple) else value for key, value in defaults.items()}
    assert {key: value for key, value in listed.items() if not key.startswith("_")} == defaults
