"""Windows around objects: where they are cut, and what becomes of everything else."""

from dataclasses import replace

import pytest
import torch
from torchvision import tv_tensors

from src.data.description import Description
from src.data.sample import Instances, Sample
from src.data.transform.objects import Objects
from src.data.voc import VOC

NAMES = ("background", "cat", "dog", "grass")


def plain(*, size, description):
    """No augmentation: the window as it was cut."""
    return lambda sample: sample


def objects(classes=NAMES, size=(10, 10), augment=plain, **options):
    description = Description(("image", "mask"), classes, ((0, 0, 0),) * len(classes), things=classes[1:3])
    return Objects(augment, size=size, description=description, **options)


def sample():
    """A cat of 10 × 5 at (20, 10), a second one far from it, a dog beside it and grass below; each pixel differs."""
    mask = torch.zeros(60, 80, dtype=torch.uint8)
    mask[50:] = 3
    mask[20:30, 10:15] = 1
    mask[2:12, 60:65] = 1
    mask[22:24, 16:18] = 2
    mask[40, 40] = 255
    image = torch.stack([torch.arange(60)[:, None].expand(60, 80), torch.arange(80).expand(60, 80)])
    return Sample(tv_tensors.Image(image.to(torch.uint8)), tv_tensors.Mask(mask), name="x", size=(60, 80))


def test_the_object_stands_in_the_middle_of_a_window_of_its_own_size():
    torch.manual_seed(0)
    found = set()
    for _ in range(40):
        cut = objects(alone=False, min_area=0.01)(sample())
        assert cut.mask.shape == cut.image.shape[1:] == (12, 12)  # 1.2 × 10, and as wide as high
        found.add((int(cut.image[0, 1, 3]), int(cut.image[1, 1, 3])))
        assert (cut.mask[1:11, 3:8] == 1).all()
        assert (cut.mask == 1).sum() == 50
    assert found == {(20, 10), (2, 60)}


def test_small_regions_are_drawn_on_request():
    torch.manual_seed(0)
    sizes = {tuple(objects(min_area=0.0)(sample()).mask.shape) for _ in range(40)}
    assert sizes == {(12, 12), (2, 2)}


def test_all_else_becomes_background_or_unknown():
    whole = sample()
    kept = objects(min_area=0.01, enlarge=[20.0, 20.0])(whole).mask
    values, counts = kept.unique(return_counts=True)
    seen = dict(zip(values.tolist(), counts.tolist(), strict=True))
    assert seen[1] == 50  # the drawn cat alone
    assert seen[3] == 10 * 80  # what is no thing stays
    assert 2 not in seen  # the dog is background
    assert seen[255] == kept.numel() - 60 * 80 + 50 + 1  # beyond the image, the other cat, what was unknown
    nameless = objects(("sky", *NAMES[1:]), min_area=0.01, enlarge=[20.0, 20.0])(whole).mask
    assert (nameless == 255).sum() == seen[255] + 4


def test_windows_of_proposals_contain_the_object_at_many_places():
    torch.manual_seed(0)
    places, sides = set(), set()
    for _ in range(100):
        cut = objects(alone=False, centred=False, enlarge=[1.2, 3.0], min_area=0.01)(sample())
        cat = (cut.mask == 1).nonzero()
        assert len(cat) >= 50
        places.add(tuple((cat[0] / cut.mask.shape[0]).tolist()))
        sides.add(cut.mask.shape[0])
    assert len(places) > 30
    assert 12 <= min(sides) < 15
    assert 26 < max(sides) <= 30


def test_beyond_the_image_is_black_and_unknown():
    cut = objects(min_area=0.01, enlarge=[20.0, 20.0])(sample())
    inside = cut.mask.shape[0] * cut.mask.shape[1] - (cut.image.sum(0) == 0).sum()
    assert inside == 60 * 80 - 1  # the first pixel of the image is black itself


def test_the_window_has_the_shape_of_the_size():
    cut = objects(size=(10, 20), min_area=0.01)(sample())
    assert cut.mask.shape == (12, 24)


def test_an_image_without_objects_is_seen_whole():
    empty = Sample(sample().image, tv_tensors.Mask(torch.zeros(60, 80, dtype=torch.uint8)), name="x")
    assert objects()(empty).mask.shape == (60, 80)


@pytest.mark.parametrize("stage", ["objects", "proposals"])
def test_voc_in_both_stages(shared, stage):
    from src.run import cli
    from src.run.build import build
    from src.run.build import plain as settings

    torch.manual_seed(0)
    dataset = VOC(shared / "voc-mini", "train")
    transform = build(settings(cli.compose("train", [f"transform={stage}"]))["transform"])(
        size=(64, 64), description=dataset.describe()
    )
    for index in range(min(6, len(dataset))):
        cut = transform(dataset[index])
        assert cut.image.shape == (3, 64, 64)
        things = set(cut.mask.unique().tolist()) - {0, 255}
        assert things <= set(dataset[index].mask.unique().tolist())
        assert len(things) == 1 if stage == "objects" else things


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": None}, r"say data.size=\[224,224\]"),
        ({"enlarge": [0.5, 1.0]}, r"transform.enlarge=\[0.5, 1.0\]"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        objects(**options)


def test_data_without_things_is_refused():
    description = Description(("image", "mask"), NAMES, ((0, 0, 0),) * 4)
    with pytest.raises(ValueError, match="some of them things"):
        Objects(plain, size=(4, 4), description=description)


def test_objects_that_could_not_follow_are_refused():
    found = Instances(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long))
    with pytest.raises(ValueError, match=r"^transform=objects .* 'x' do not follow: take transform=instance"):
        objects()(replace(sample(), instances=found))
