"""Patches: where they are cut, what of the mask remains, and which pixels are drawn."""

from dataclasses import replace

import pytest
import torch
from torchvision import tv_tensors

from src.data.description import Description
from src.data.sample import Instances, Sample
from src.data.transform.fit import resized
from src.data.transform.patch import Patch

DESCRIPTION = Description(("image", "mask"), ("a", "b", "c"), ((0, 0, 0),) * 3, channels=1)
PLAIN = {"flip": 0.0, "brightness": 0.0, "contrast": 0.0, "class_aware": 0.0}


def patch(size=None, cells=5, **options):
    return Patch(size=size, description=DESCRIPTION, patch=cells, **(PLAIN | options))


def sample(mask=None, height=8, width=9):
    """Each pixel of the image says where it is."""
    image = torch.arange(height * width, dtype=torch.uint8).reshape(1, height, width)
    mask = torch.zeros(height, width, dtype=torch.uint8) if mask is None else mask
    return Sample(tv_tensors.Image(image), tv_tensors.Mask(mask), name="x", size=(height, width))


def centre(cut):
    return divmod(int(cut.image[0, 2, 2]), 9)


def test_all_but_the_centre_is_unknown():
    torch.manual_seed(0)
    mask = torch.randint(0, 3, (8, 9), dtype=torch.uint8)
    for _ in range(20):
        cut = patch()(sample(mask))
        assert cut.mask.shape == (5, 5)
        assert cut.mask[2, 2] == mask[centre(cut)]
        assert (cut.mask == 255).sum() == 24


def test_every_pixel_is_drawn_and_the_image_mirrored_around_it():
    torch.manual_seed(0)
    whole = sample().image[0]
    extended = torch.nn.functional.pad(whole[None].float(), (2, 2, 2, 2), mode="reflect")[0]
    drawn = set()
    for _ in range(1500):
        cut = patch()(sample())
        row, column = centre(cut)
        drawn.add((row, column))
        assert torch.equal(cut.image[0].float(), extended[row : row + 5, column : column + 5])
    assert len(drawn) == 72


def test_only_labelled_pixels_are_drawn():
    mask = torch.full((8, 9), 255, dtype=torch.uint8)
    mask[3, 4], mask[0, 8] = 1, 2
    assert {centre(patch(class_aware=aware)(sample(mask))) for aware in (0.0, 1.0) for _ in range(30)} == {
        (3, 4),
        (0, 8),
    }
    assert (patch()(sample(torch.full_like(mask, 255))).mask == 255).all()


@pytest.mark.parametrize(("aware", "low", "high"), [(0.0, 0, 10), (1.0, 70, 130)])
def test_rare_classes_come_as_often_as_others_on_request(aware, low, high):
    torch.manual_seed(0)
    mask = torch.zeros(8, 9, dtype=torch.uint8)
    mask[7, 7] = 1
    assert low <= sum(int(patch(class_aware=aware)(sample(mask)).mask[2, 2]) for _ in range(200)) <= high


def test_overlapping_classes_keep_all_their_answers():
    torch.manual_seed(0)
    mask = torch.full((3, 8, 9), 255, dtype=torch.uint8)
    mask[:, 2, 3] = torch.tensor([1, 0, 1])
    for aware in (0.0, 1.0):
        cut = patch(class_aware=aware)(sample(mask))
        assert cut.mask[:, 2, 2].tolist() == [1, 0, 1]
        assert (cut.mask == 255).sum() == 3 * 24


def test_mirrors_turn_the_image():
    mask = torch.full((8, 9), 255, dtype=torch.uint8)
    mask[3, 4] = 1
    upright = sample().image[:, 1:6, 2:7]
    assert torch.equal(patch()(sample(mask)).image, upright)
    assert torch.equal(patch(flip=1.0)(sample(mask)).image, upright.flip(2))
    assert torch.equal(patch(flip_vertical=1.0)(sample(mask)).image, upright.flip(1))


def test_the_whole_is_seen_at_its_size_first():
    torch.manual_seed(0)
    image = torch.randint(0, 256, (1, 40, 32), dtype=torch.uint8)
    mask = torch.full((40, 32), 255, dtype=torch.uint8)
    mask[10:15, 16:20] = 2  # the cell (2, 4) of 8 × 8
    cut = patch(size=(8, 8))(Sample(tv_tensors.Image(image), tv_tensors.Mask(mask), name="x", size=(40, 32)))
    assert cut.mask[2, 2] == 2
    assert torch.equal(cut.image, resized(image, (8, 8))[:, 0:5, 2:7])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cells": 4}, "transform.patch=4: an odd"),
        ({"cells": 1}, "patch=1"),
        ({"flip": 2.0}, "transform.flip=2.0 is no"),
    ],
)
def test_wrong_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        patch(**options)


def test_a_sample_without_mask_is_refused():
    with pytest.raises(ValueError, match="'x' has none"):
        patch()(Sample(sample().image, name="x"))


def test_objects_that_could_not_follow_are_refused():
    found = Instances(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long))
    with pytest.raises(ValueError, match=r"^transform=patch .* 'x' do not follow: take transform=instance"):
        patch()(replace(sample(), instances=found))
