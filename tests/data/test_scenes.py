import hashlib
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from src.data.camera import scaled
from src.data.flaw import flaw
from src.data.interface import Dataset, MissingSplit
from src.data.people import FLIP_PAIRS, KEYPOINTS, SIGMAS, SKELETON
from src.data.sample import Sample, collate, part
from src.data.scene.field import field
from src.data.scene.pattern import PATTERNS
from src.data.scene.room import room
from src.data.scenes import Scenes

CLASSES = Scenes().describe().classes
LEVEL = {"floor", "ground"}


@cache
def sample(index: int, size: tuple[int, int] = (96, 128), rooms: float = 0.6) -> Sample:
    return Scenes(resolution=size, rooms=rooms)[index]


def directions(sample: Sample) -> np.ndarray:
    """Camera rays [3 h w] by the sample's own intrinsics."""
    height, width = sample.size
    pixels = np.stack([*np.meshgrid(np.arange(width), np.arange(height)), np.ones((height, width))])
    return np.einsum("ij,jhw->ihw", np.linalg.inv(sample.camera.numpy().astype(np.float64)), pixels)


def label_is(sample: Sample, *names: str) -> np.ndarray:
    return np.isin(sample.mask.numpy(), [CLASSES.index(name) for name in names])


def test_it_is_a_dataset_and_provides_what_it_describes():
    scenes = Scenes("val")
    assert isinstance(scenes, Dataset)
    assert len(scenes) == 100
    assert scenes.files(3) == ()
    description, found = scenes.describe(), scenes[3]
    assert all(part(found, name) is not None for name in description.fields)
    assert found.image.shape == (3, 96, 128)
    assert found.image.dtype == torch.uint8
    assert (found.name, found.size) == (scenes.name(3), scenes.size(3))
    assert int(found.mask.max()) < description.num_classes
    assert len(collate([found, scenes[4]])) == 2


def test_the_same_index_gives_the_same_sample_in_any_process():
    code = "from src.data.scenes import Scenes; s = Scenes()[5]; print(s.image.sum().item(), s.depth.sum().item())"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    here, again = Scenes()[5], Scenes(lengths={"train": 6})[5]
    assert [str(here.image.sum().item()), str(here.depth.sum().item())] == there
    for name in ("image", "mask", "depth", "normals", "camera"):
        assert torch.equal(getattr(here, name), getattr(again, name))


def test_no_two_scenes_are_alike_in_any_split_or_seed():
    small = {"resolution": (12, 16)}
    every = [Scenes(split, **small)[i] for split in ("train", "val", "test") for i in range(4)]
    every += [Scenes("train", scene_seed=seed, **small)[i] for seed in (1, 2) for i in range(4)]
    assert len({found.depth.numpy().tobytes() for found in every}) == len(every)


@pytest.mark.parametrize("index", range(4))
def test_a_scene_is_the_same_at_three_times_the_size(index):
    small, large = sample(index, (48, 64)), sample(index, (144, 192))
    torch.testing.assert_close(large.camera, scaled(small.camera, (48, 64), (144, 192)))
    middle = slice(1, None, 3)  # the pixels whose centres are those of the small picture
    assert (large.mask[middle, middle] == small.mask).float().mean() > 0.999
    agree = torch.isclose(large.depth[0, middle, middle], small.depth[0], rtol=1e-3)
    assert agree.float().mean() > 0.999
    small_image, large_image = (np.asarray(s.image, dtype=np.float32) for s in (small, large))
    pooled = large_image.reshape(3, 48, 3, 64, 3).mean((2, 4))
    assert np.abs(pooled.mean((1, 2)) - small_image.mean((1, 2))).max() < 2  # grey levels: exposure is the same


@pytest.mark.parametrize("rooms", [0.0, 1.0])
def test_normals_are_unit_face_the_camera_and_are_unknown_where_the_sky_is(rooms):
    for index in range(6):
        found = sample(index, rooms=rooms)
        sky, normals = label_is(found, "sky"), found.normals.numpy()
        assert sky.any() == (rooms == 0.0)
        assert (normals[:, sky] == 0).all()
        assert (found.depth.numpy()[0][sky] == 0).all()
        assert (found.depth.numpy()[0][~sky] > 0).all()
        np.testing.assert_allclose(np.linalg.norm(normals, axis=0)[~sky], 1, atol=1e-5)
        assert (np.sum(normals * directions(found), axis=0)[~sky] < 0.01).all()


@pytest.mark.parametrize("index", range(6))
def test_normals_agree_with_the_slope_of_the_depth(index):
    found = sample(index, (240, 320))
    points = directions(found) * found.depth.numpy()
    across, down = points[:, 1:-1, 2:] - points[:, 1:-1, :-2], points[:, 2:, 1:-1] - points[:, :-2, 1:-1]
    slope = np.cross(down, across, axis=0)
    slope /= np.linalg.norm(slope, axis=0) + 1e-12
    agreement = np.sum(slope * found.normals.numpy()[:, 1:-1, 1:-1], axis=0)
    smooth = np.ones_like(agreement, bool)  # one class and nearly one normal in the 3 x 3 pixels around
    for i, j in np.ndindex(3, 3):
        moved = (slice(i, i + 238), slice(j, j + 318))
        smooth &= found.mask.numpy()[moved] == found.mask.numpy()[1:-1, 1:-1]
        smooth &= np.sum(found.normals.numpy()[:, *moved] * found.normals.numpy()[:, 1:-1, 1:-1], axis=0) > 0.99
    smooth &= found.depth.numpy()[0, 1:-1, 1:-1] > 0
    assert smooth.mean() > 0.2
    assert np.mean(agreement[smooth] > 0.99) > 0.97  # the rest: two objects of one class and one direction


def test_the_ground_is_flat_and_as_far_below_the_camera_as_the_scene_has_it():
    for make, rooms in ((room, 1.0), (field, 0.0)):
        for index in range(4):
            rng = np.random.default_rng([0, 0, index])
            rng.random()  # room or field
            _, camera = make(rng)
            found = sample(index, rooms=rooms)
            points, ground = directions(found) * found.depth.numpy(), label_is(found, *LEVEL)
            down = found.normals.numpy()[:, ground]
            assert ground.any()
            np.testing.assert_allclose(down, np.broadcast_to(down[:, :1], down.shape), atol=1e-6)
            height = -(down[:, :1] * points[:, ground]).sum(0)
            np.testing.assert_allclose(height, camera.position[2], rtol=1e-3)


@pytest.mark.parametrize("index", range(4))
def test_albedo_times_shading_is_the_picture_of_a_matte_room_before_tone_and_noise(index):
    found = sample(index, rooms=1.0)
    light = (found.values["albedo"] * found.values["shading"]).as_subclass(torch.Tensor)
    seen = (found.image.as_subclass(torch.Tensor).double() + 0.5) / 256
    ratio = -torch.log1p(-(seen**2)) / light  # the tone undone: exposure and tint are left
    plain = torch.from_numpy(_even(found)) & (found.image < 245).all(0) & (found.image > 20).all(0)
    matte = plain & torch.from_numpy(label_is(found, "wall", "ceiling"))
    assert matte.float().mean() > 0.03
    tint = ratio[:, matte].median(1, keepdim=True).values
    off = 255 * (torch.sqrt(1 - torch.exp(-tint * light[:, matte])) - seen[:, matte])  # grey levels
    assert off.mean(1).abs().max() < 1
    assert off.std(1).max() < 5  # noise has up to 3.6
    shiny = plain & torch.from_numpy(label_is(found, *Scenes().describe().things))
    assert (ratio[:, shiny] / tint > 0.8).double().mean() > 0.9  # a highlight adds light, and takes none


def _even(sample: Sample) -> np.ndarray:
    """Where no pixel of the 3 x 3 around differs much."""
    image = sample.image.float()[None]
    spread = v2.functional.gaussian_blur(image, 3) - image
    return (torch.nn.functional.max_pool2d(spread.abs().amax(1), 3, 1, 1)[0] < 6).numpy()


def test_albedo_and_shading_are_unknown_where_nothing_is():
    found = sample(1, rooms=0.0)
    sky = torch.from_numpy(label_is(found, "sky"))
    assert 0 < sky.float().mean() < 1
    for name, top in (("albedo", 1.0), ("shading", 10.0)):
        field = found.values[name]
        assert torch.equal(field.isnan().all(0), sky)
        assert torch.equal(field.isnan().any(0), sky)
        assert 0 <= field[:, ~sky].min() < field[:, ~sky].max() <= top
    assert flaw(found, Scenes().describe()) is None


def test_materials_are_another_choice_of_labels():
    plain, scenes = Scenes(people=2.0), Scenes(people=2.0, labels="material")
    description = scenes.describe()
    assert description.classes == (*(pattern.__name__ for pattern in PATTERNS), "sky")
    assert (description.things, description.keypoints, "instances" in description.fields) == ((), (), False)
    shown = set()
    for index in range(8):
        found, other = scenes[index], plain[index]
        assert flaw(found, description) is None
        assert found.instances is None
        for name in ("image", "depth", "normals"):
            assert torch.equal(getattr(found, name), getattr(other, name))
        assert torch.equal(found.mask == len(PATTERNS), other.mask == CLASSES.index("sky"))
        for label in ("floor", "ground", "ceiling"):  # each is made of one
            here = found.mask[other.mask == CLASSES.index(label)]
            assert len(here.unique()) <= 1
        shown |= set(found.mask.unique().tolist())
    assert len(shown) >= 8


@pytest.mark.parametrize("index", range(6))
def test_what_is_plain_has_one_albedo(index):
    found = Scenes(labels="material")[index]
    people_less = sample(index)
    plain = (found.mask == 0) & (people_less.mask == CLASSES.index("wall"))
    if plain.any():
        assert len(found.values["albedo"][:, plain].unique(dim=1).T) <= 2  # the two pairs of walls


def test_instances_are_the_visible_parts_of_things():
    things = set(Scenes().describe().things)
    for index in range(12):
        found = sample(index)
        masks, labels, boxes = found.instances.masks, found.instances.labels, found.instances.boxes
        thing = label_is(found, *things)
        assert masks.sum(0).max() <= 1  # visible parts do not overlap
        assert not (masks.any(0).numpy() & ~thing).any()
        assert thing.sum() - masks.sum() < 0.01 * thing.size  # only specks are in the mask alone
        for mask, label, (x0, y0, x1, y1) in zip(masks, labels, boxes.int().tolist(), strict=True):
            assert CLASSES[label] in things
            assert (found.mask[mask] == label).all()
            assert mask.sum() >= mask.numel() / 1000
            assert mask[y0:y1, x0:x1].sum() == mask.sum()
            assert all(edge.any() for edge in (mask[y0], mask[y1 - 1], mask[:, x0], mask[:, x1 - 1]))


def test_without_people_the_scenes_are_what_they_have_always_been():
    digest, sums = hashlib.sha256(), np.zeros(2)
    for index in range(6):
        found = Scenes("val", resolution=(48, 64))[index]
        for masks in (found.mask, found.instances.masks):
            digest.update(masks.numpy().tobytes())
        sums += found.image.double().mean().item(), found.depth.double().mean().item()
        assert found.instances.keypoints is None
    assert digest.hexdigest() == "96559182acce5b758e3cc7ce3e76365522e1a9feabfd7151faca527d56ad735b"
    assert sums / 6 == pytest.approx((159.61653645833334, 4.2749775434365604), rel=1e-5)
    assert (CLASSES[-1], Scenes().describe().keypoints) == ("cone", ())


def test_people_are_one_more_class_and_nothing_else_changes():
    empty, peopled = Scenes(), Scenes(people=3.0)
    description = peopled.describe()
    assert description.classes == (*CLASSES, "person")
    assert description.things == (*empty.describe().things, "person")
    assert (description.keypoints, description.flip_pairs) == (KEYPOINTS, FLIP_PAIRS)
    assert (description.sigmas, description.skeleton) == (SIGMAS, SKELETON)
    for index in range(4):
        before, after = empty[index], peopled[index]
        same = (after.depth == before.depth).squeeze(0)
        assert (after.mask != len(CLASSES))[same].all()
        assert torch.equal(after.mask[same], before.mask[same])
        assert (after.depth <= before.depth)[before.depth > 0].all()  # people are in front of what was there
        assert torch.equal(after.normals[:, same], before.normals[:, same])
        change = (after.image.int() - before.image.int()).abs()[:, same]  # grey levels; a shade may fall anywhere
        assert (change <= 2).float().mean() > 0.8


def test_things_that_are_not_named_are_no_objects_and_keep_their_class():
    whole, people = Scenes(people=3.0), Scenes(people=3.0, things=["person"])
    described = people.describe()
    assert (described.classes, described.things, described.keypoints) == (whole.classes, ("person",), KEYPOINTS)
    assert Scenes(people=3.0, things=["cone"]).describe().keypoints == ()
    person = whole.classes.index("person")
    for index in range(5):
        before, after = whole[index], people[index]
        assert after.mask.equal(before.mask)
        kept = before.instances.only(before.instances.labels == person)
        assert (after.instances.labels == person).all()
        assert after.instances.masks.equal(kept.masks)
        assert after.instances.keypoints.equal(kept.keypoints)


def test_keypoints_lie_on_people_and_others_have_none():
    person, on, where, found = len(CLASSES), 0, [0, 0, 0], 0
    for index in range(12):
        scene = Scenes(people=3.0)[index]
        things = scene.instances
        assert things.keypoints.shape == (len(things), 17, 3)
        assert (things.keypoints[things.labels != person] == 0).all()
        for points, mask, label in zip(things.keypoints, things.masks, things.labels, strict=True):
            assert (scene.mask[mask] == label).all()
            x, y, seen = points.unbind(1)
            assert ((points == 0).all(1) == (seen == 0)).all()
            assert (x[seen > 0] < 128).all()
            assert (y[seen > 0] < 96).all()
            around = v2.functional.gaussian_blur(mask[None].float(), 3, 3.0)[0] > 0  # a point may fall beside an edge
            on += int(around[y[seen == 2].int(), x[seen == 2].int()].sum())
            where = [count + int((seen == value).sum()) for count, value in zip(where, range(3), strict=True)]
        found += int((things.labels == person).sum())
    assert found > 20
    assert on == where[2]
    assert min(where[1], where[2]) > 100


def test_an_image_without_things_has_instances_of_the_right_shape():
    pixels = Scenes(resolution=(1, 1))
    empty = next(instances for i in range(40) if len((instances := pixels[i].instances).labels) == 0)
    assert empty.boxes.shape == (0, 4)
    assert empty.masks.shape == (0, 1, 1)


@pytest.fixture(scope="module")
def small_val() -> list[Sample]:
    scenes = Scenes("val", resolution=(24, 32))
    return [scenes[index] for index in range(len(scenes))]


def test_every_class_is_common_and_none_prevails(small_val):
    counts = np.stack([np.bincount(found.mask.flatten(), minlength=len(CLASSES)) for found in small_val])
    share = counts.sum(0) / counts.sum()
    assert share.min() > 0.02
    assert share.max() < 0.45
    assert (counts > 0).sum(0).min() >= 30


def test_colour_alone_does_not_give_the_class_away(small_val):
    color = np.concatenate([found.image.numpy().reshape(3, -1).astype(int) // 32 for found in small_val], axis=1)
    label = np.concatenate([found.mask.numpy().ravel() for found in small_val])
    thing = np.concatenate([label_is(found, *Scenes().describe().things).ravel() for found in small_val])
    cell = color[0] * 64 + color[1] * 8 + color[2]

    def recall(truth: np.ndarray) -> np.ndarray:
        """By value of `truth`, for the best function of the colour, found on the very data it is used on."""
        counts = np.zeros((512, truth.max() + 1))
        np.add.at(counts, (cell, truth), 1)
        right = counts.argmax(1)[cell] == truth
        return np.bincount(truth, right) / np.bincount(truth)

    assert recall(thing.astype(int))[1] < 0.4
    assert recall(label)[[CLASSES.index(name) for name in Scenes().describe().things]].mean() < 0.15


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"resolution": (0, 4)}, r"data.resolution=\[0, 4\]"),
        ({"resolution": (4,)}, r"data.resolution=\[4\]"),
        ({"scene_seed": -1}, "data.scene_seed=-1"),
        ({"rooms": 1.5}, "data.rooms=1.5"),
        ({"people": -1.0}, "data.people=-1.0"),
        ({"people": 100.0}, "data.people=100.0"),
        ({"things": ["person"]}, r"data.things names \['person'\]; the things of these scenes are \['box', "),
    ],
)
def test_a_wrong_option_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Scenes(**arguments)


def test_a_missing_split_is_said():
    with pytest.raises(MissingSplit, match=r"train, val, test, not 'dev'"):
        Scenes("dev")
    with pytest.raises(MissingSplit, match=r"data.lengths.test=0"):
        Scenes("test", lengths={"train": 2, "test": 0})


def test_an_index_past_the_end_stops_iteration():
    assert len(list(Scenes(resolution=(4, 4), lengths={"train": 3}))) == 3


def test_in_natural_colours_everything_but_colour_is_as_it_was():
    for index in (0, 5):
        free, told = Scenes(resolution=(24, 32))[index], Scenes(resolution=(24, 32), colors="natural")[index]
        for name in ("mask", "depth", "normals"):
            assert torch.equal(getattr(free, name), getattr(told, name))
        assert torch.equal(free.values["shading"].nan_to_num(), told.values["shading"].nan_to_num())
        assert not torch.equal(free.image, told.image)
        brightness = torch.tensor([0.2126, 0.7152, 0.0722])
        assert torch.equal(free.values["albedo"].isnan(), told.values["albedo"].isnan())
        before, after = (torch.einsum("c,chw->hw", brightness, each.values["albedo"]) for each in (free, told))
        torch.testing.assert_close(before, after, rtol=1e-4, atol=1e-4, equal_nan=True)


def test_natural_colours_are_those_of_the_kind_and_of_what_floors_walls_and_grounds_are_laid_with():
    names = [pattern.__name__ for pattern in PATTERNS]
    laid = torch.tensor([name in ("bricks", "planks", "tiles") for name in [*names, "sky"]])
    things = torch.tensor([CLASSES.index(name) for name in Scenes().describe().things])
    spread = {}
    for colors in ("any", "natural"):
        kinds, classes = (
            Scenes("val", resolution=(24, 32), colors=colors, labels=labels) for labels in ("material", "class")
        )
        albedo = torch.cat([kinds[i].values["albedo"].flatten(1) for i in range(30)], 1).double()
        pattern, label = (torch.cat([each[i].mask.flatten() for i in range(30)]).long() for each in (kinds, classes))
        told = label * 10 + pattern * (laid[pattern] & ~torch.isin(label, things))
        hue = albedo / albedo.sum(0)
        known = hue.isfinite().all(0) & (hue.amax(0) - hue.amin(0) > 0.2)
        groups = [hue[:, known & (told == value)] for value in told[known].unique().tolist()]
        spread[colors] = torch.stack([group.var(1).sum().sqrt() for group in groups if group.shape[1] > 20]).median()
        walls = (label == CLASSES.index("wall")) & hue.isfinite().all(0)
        brick, plain = (hue[:, walls & (pattern == place)].mean(1) for place in (names.index("bricks"), 0))
    assert spread["natural"] < 0.3 * spread["any"]
    assert brick[0] > plain[0] + 0.05  # redder, in natural colours
