from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from src.data.interface import Dataset, MissingSplit
from src.data.isbi import ISBI

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (12, 5, 6), dtype=np.uint8)
LABELS = RNG.integers(0, 2, (12, 5, 6), dtype=np.uint8) * 255


def slices(folder: Path) -> Path:
    for name, pages in (("image", IMAGES), ("label", LABELS)):
        (folder / "train" / name).mkdir(parents=True)
        for index, page in enumerate(pages):
            Image.fromarray(page).save(folder / "train" / name / f"{index}.png")
    return folder


def volumes(folder: Path) -> Path:
    tifffile.imwrite(folder / "train-volume.tif", IMAGES, photometric="minisblack")
    tifffile.imwrite(folder / "train-labels.tif", LABELS, photometric="minisblack")
    return folder


@pytest.mark.parametrize("layout", [slices, volumes])
def test_the_last_fifth_is_val_in_either_layout(tmp_path: Path, layout) -> None:
    train, val = (ISBI(layout(tmp_path) if split == "train" else tmp_path, split) for split in ("train", "val"))
    assert isinstance(train, Dataset)
    assert (len(train), len(val)) == (10, 2)
    for dataset, start in ((train, 0), (val, 10)):
        for index in range(len(dataset)):
            np.testing.assert_array_equal(dataset[index].image[0].numpy(), IMAGES[start + index])
            np.testing.assert_array_equal(dataset[index].mask.numpy(), LABELS[start + index] // 255)
    names = [dataset.name(index) for dataset in (train, val) for index in range(len(dataset))]
    assert len(set(names)) == 12
    assert train.size(0) == (5, 6)


def test_one_channel_and_two_classes(tmp_path: Path) -> None:
    description = ISBI(slices(tmp_path), "train").describe()
    assert (description.classes, description.channels) == (("membrane", "cell"), 1)


def test_what_is_absent(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="looked for train/label"):
        ISBI(tmp_path, "train")
    with pytest.raises(MissingSplit, match="labels for train and val only"):
        ISBI(slices(tmp_path), "test")
    (tmp_path / "train/label/3.png").unlink()
    with pytest.raises(ValueError, match=r"1 without a mask: .*3\.png"):
        ISBI(tmp_path, "train")


def test_the_real_one(shared: Path) -> None:
    train, val = (ISBI(shared / "isbi2012", split) for split in ("train", "val"))
    assert (len(train), len(val)) == (19, 5)
    sample = val[0]
    assert sample.image.shape == (1, 512, 512)
    assert 0.15 < (sample.mask == 0).float().mean() < 0.3  # membranes are the fewer
