from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import tv_tensors

from src.data.pair import Pair
from src.data.values import Values

VALUES = Values({0: 0, 1: 1, 255: 255})


def saved(path: Path, shape: tuple[int, ...], tag: int = 1) -> Path:
    exif = Image.Exif()
    exif[0x0112] = tag
    Image.fromarray(np.ones(shape, np.uint8)).save(path, exif=exif)
    return path


def test_both_files_become_one_sample(tmp_path: Path) -> None:
    pair = Pair("a", saved(tmp_path / "a.png", (4, 6, 3)), saved(tmp_path / "m.png", (4, 6)))
    sample = pair.sample(VALUES)
    assert isinstance(sample.image, tv_tensors.Image)
    assert isinstance(sample.mask, tv_tensors.Mask)
    assert sample.mask.dtype == torch.uint8
    assert (sample.name, sample.size, pair.size()) == ("a", (4, 6), (4, 6))
    assert pair.files() == (str(tmp_path / "a.png"), str(tmp_path / "m.png"))
    assert Pair("a", tmp_path / "a.png").sample().mask is None


def test_a_file_per_class(tmp_path: Path) -> None:
    masks = (saved(tmp_path / "m.png", (4, 6)), saved(tmp_path / "n.png", (4, 6)))
    pair = Pair("a", saved(tmp_path / "a.png", (4, 6)), masks)
    assert pair.sample(VALUES).mask.shape == (2, 4, 6)
    assert pair.files()[1:] == tuple(str(mask) for mask in masks)


@pytest.mark.parametrize(
    ("image", "mask", "reason"),
    [
        (((4, 6), 1), ((5, 6), 1), "a mask needs one pixel for each"),
        (((4, 6), 1), ((6, 4), 1), "one of them is transposed"),
        (((4, 6), 6), ((4, 6), 1), "without the image's EXIF orientation"),
        (((4, 6), 1), ((4, 6), 6), "without the mask's own orientation tag"),
    ],
)
def test_sizes_that_differ_are_named_with_their_cause(tmp_path: Path, image: tuple, mask: tuple, reason: str) -> None:
    pair = Pair("a", saved(tmp_path / "a.png", *image), saved(tmp_path / "m.png", *mask))
    with pytest.raises(ValueError, match=rf"a\.png is \d+x\d+ .*m\.png is \d+x\d+: .*{reason}"):
        pair.sample(VALUES)


def test_image_and_mask_that_turn_alike_agree(tmp_path: Path) -> None:
    pair = Pair("a", saved(tmp_path / "a.png", (4, 6), 6), saved(tmp_path / "m.png", (4, 6), 6))
    assert pair.sample(VALUES).mask.shape == (6, 4)


def test_an_image_of_another_type_than_the_dataset_is_refused(tmp_path: Path) -> None:
    Image.fromarray(np.full((2, 3), 300, np.uint16)).save(tmp_path / "deep.png")
    pair = Pair("deep", tmp_path / "deep.png")
    with pytest.raises(ValueError, match=r"deep\.png holds uint16, where this dataset has uint8: convert it"):
        pair.sample()
    assert pair.sample(dtype=None).image.dtype == torch.uint16
