import re
from dataclasses import replace

import pytest
import torch
from torchvision import tv_tensors

from src.data.description import Description
from src.data.flaw import flaw
from src.data.object_flaw import object_flaw
from src.data.sample import Instances, Sample

POSE = {"keypoints": ("head", "hand"), "sigmas": (0.1, 0.1)}
DATA = Description(
    ("image", "instances"), ("sky", "cat", "dog"), ((0, 0, 0),) * 3, things=("cat", "dog"), channels=1, **POSE
)
GOOD = Instances(
    boxes=torch.tensor([[-0.5, -1.0, 3.0, 2.0], [1.5, 0.5, 4.0, 3.0]]),  # the image is 2x3: a pixel beyond is borne
    labels=torch.tensor([1, 2]),
    masks=torch.ones(2, 2, 3, dtype=torch.bool),
    keypoints=torch.tensor([[[1.0, 1.0, 2.0], [0.0, 0.0, 0.0]], [[9.0, 9.0, 1.0], [2.0, 1.0, 2.0]]]),
    crowd=torch.tensor([False, True]),
    areas=torch.tensor([6.0, 0.0]),
)


def boxed(*box: float) -> dict[str, torch.Tensor]:
    return {"boxes": torch.tensor([[0.0, 0.0, 1.0, 1.0], box])}


def pointed(*point: float) -> dict[str, torch.Tensor]:
    keypoints = GOOD.keypoints.clone()
    keypoints[1, 1] = torch.tensor(point)
    return {"keypoints": keypoints}


def test_good_objects_have_no_flaw_nor_has_an_image_without_any():
    assert object_flaw(GOOD, (2, 3), DATA) is None
    assert object_flaw(GOOD.only(torch.zeros(2, dtype=torch.bool)), (2, 3), DATA) is None
    assert object_flaw(replace(GOOD, masks=None, crowd=None, areas=None, keypoints=None), (2, 3), DATA) is None
    assert object_flaw(replace(GOOD, masks=GOOD.masks.byte()), (2, 3), DATA) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": torch.tensor([1, 3])}, r"object 1 has the label 3: its class is one of \[1, 2\]"),
        ({"labels": torch.tensor([0, 1])}, r"object 0 has the label 0: its class is one of \[1, 2\]"),
        ({"labels": torch.tensor([1, -1])}, "object 1 has the label -1"),
        (boxed(2, 0, 2, 1), r"the box of object 1 is 2, 0, 2, 1 \(x0, y0, x1, y1\): a box has x0 < x1"),
        (boxed(0, 1, 2, 0), "the box of object 1 is 0, 1, 2, 0"),
        (boxed(0, 0, 4.5, 1), "the box of object 1 is 0, 0, 4.5, 1.*the image is 2x3"),
        (boxed(-1.5, 0, 1, 1), "the box of object 1 is -1.5.*the image is 2x3"),
        (boxed(0, 0, 1, 3.5), "the image is 2x3"),
        (boxed(0, float("nan"), 1, 1), "the box of object 1 is 0, nan, 1, 1"),
        ({"masks": torch.ones(2, 3, 2)}, "the masks of the objects are 3x2, their image 2x3"),
        (
            {"masks": torch.tensor([0, 255]).expand(2, 2, 2).mT.repeat(1, 1, 2)[..., :3]},
            "the mask of object 0 holds 255",
        ),
        ({"keypoints": torch.zeros(2, 3, 3)}, "the objects have 3 keypoints each, the dataset 2"),
        (pointed(float("nan"), 1, 2), r"keypoint 'hand' of object 1 is nan, 1, 2 \(x, y, visibility\)"),
        (pointed(1, float("inf"), 0), "keypoint 'hand' of object 1 is 1, inf, 0"),
        (pointed(1, 1, 3), "keypoint 'hand' of object 1 is 1, 1, 3"),
        ({"areas": torch.tensor([1.0, -2.0])}, "the area of object 1 is -2 pixels"),
        ({"areas": torch.tensor([float("nan"), 1.0])}, "the area of object 0 is nan pixels"),
        ({"areas": torch.tensor([float("inf"), 1.0])}, "the area of object 0 is inf pixels"),
    ],
)
def test_what_contradicts_the_description_is_said_of_the_object(change, said):
    assert re.search(said, object_flaw(replace(GOOD, **change), (2, 3), DATA) or "")


@pytest.mark.parametrize(("name", "count"), [("boxes", 1), ("masks", 3), ("keypoints", 0), ("crowd", 1), ("areas", 3)])
def test_counts_that_differ_are_said(name, count):
    objects = replace(GOOD)
    part = getattr(GOOD, name)
    object.__setattr__(
        objects, name, part.new_zeros(count, *part.shape[1:])
    )  # past the check of shapes, for tests only
    assert object_flaw(objects, (2, 3), DATA) == f"the objects have 2 labels and {count} {name}"


def test_any_class_will_do_where_things_are_not_known():
    assert object_flaw(replace(GOOD, labels=torch.tensor([0, 2])), (2, 3), replace(DATA, things=None)) is None


def test_the_check_of_a_sample_covers_its_objects():
    image = tv_tensors.Image(torch.zeros(1, 2, 3, dtype=torch.uint8))
    sample = Sample(image, instances=GOOD, name="s", size=(2, 3))
    assert flaw(sample, DATA) is None
    wrong = replace(sample, instances=replace(GOOD, labels=torch.tensor([1, 9])))
    assert (flaw(wrong, DATA) or "").startswith("object 1 has the label 9")
