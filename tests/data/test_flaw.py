import re
from dataclasses import replace

import pytest
import torch
from torchvision import tv_tensors

from src.data.description import Description
from src.data.field import Depth, Normals
from src.data.flaw import flaw
from src.data.sample import Sample

TWO = Description(("image", "mask"), ("a", "b"), ((0, 0, 0), (9, 9, 9)), channels=1)
GOOD = Sample(
    tv_tensors.Image(torch.zeros(1, 2, 3, dtype=torch.uint8)),
    tv_tensors.Mask(torch.tensor([[0, 1, 255], [0, 0, 1]], dtype=torch.uint8)),
    Depth(torch.ones(1, 2, 3)),
    Normals(torch.zeros(3, 2, 3)),
    name="s",
    size=(2, 3),
)

ALONE = {"depth": None, "normals": None}


def image(value: float, dtype: torch.dtype, *shape: int) -> tv_tensors.Image:
    return tv_tensors.Image(torch.full(shape or (1, 2, 3), value).to(dtype))


def test_a_good_sample_has_no_flaw():
    assert flaw(GOOD, TWO) is None
    assert flaw(replace(GOOD, image=image(65535, torch.uint16)), replace(TWO, value_range=(0.0, 65535.0))) is None
    both = tv_tensors.Mask(torch.tensor([0, 1, 255]).expand(2, 2, 3))
    assert flaw(replace(GOOD, mask=both), replace(TWO, multilabel=True)) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image": image(0, torch.uint8, 3, 2, 3)}, "the image has 3 channels, the dataset 1"),
        ({"image": image(0, torch.uint8, 1, 3, 2)}, "the image is 3x2, announced were 2x3"),
        (
            {"image": image(256, torch.uint16)},
            "256 to 256, black and white of the dataset are 0 and 255",
        ),
        ({"image": image(float("nan"), torch.float32)}, "the image holds nan to nan"),
        (
            {"mask": tv_tensors.Mask(torch.tensor([[0, 1, 2], [2, 0, 0]]))},
            r"2 at \(x=2, y=0\), one of 2 wrong",
        ),
        ({"mask": tv_tensors.Mask(torch.tensor([[0, 1, 0], [-1, 0, 0]]))}, r"mask holds -1 at \(x=0, y=1\)"),
        ({"mask": tv_tensors.Mask(torch.zeros(3, 2).byte()), **ALONE}, "mask is 3x2, its image 2x3"),
        ({"mask": tv_tensors.Mask(torch.zeros(2, 2, 3, dtype=torch.uint8))}, "multilabel=False"),
        ({"depth": Depth(torch.full((1, 2, 3), -1.0))}, r"depth holds -1.0 at \(x=0, y=0\), one of 6"),
        ({"normals": Normals(torch.full((3, 2, 3), float("nan")))}, "normals holds nan"),
    ],
)
def test_what_contradicts_the_description_is_said(change, said):
    assert re.search(said, flaw(replace(GOOD, **change), TWO) or "")


def test_overlapping_masks_hold_0_1_and_unknown():
    mask = tv_tensors.Mask(torch.tensor([0, 1, 7]).expand(2, 2, 3))
    assert "mask holds 7 at (x=2, y=0)" in (flaw(replace(GOOD, mask=mask), replace(TWO, multilabel=True)) or "")
