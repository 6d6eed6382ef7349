from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.data.camvid import CamVid
from src.data.interface import Dataset, MissingSplit


@pytest.fixture
def made(tmp_path: Path) -> Path:
    for folder in ("train", "trainannot"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", (6, 4)).save(tmp_path / "train/a.png")
    Image.fromarray(np.arange(24, dtype=np.uint8).reshape(4, 6) % 12).save(tmp_path / "trainannot/a.png")
    (tmp_path / "train.txt").write_text("train/a.png trainannot/a.png\n")
    return tmp_path


def test_a_sample(made: Path) -> None:
    dataset = CamVid(made, "train")
    assert isinstance(dataset, Dataset)
    sample = dataset[0]
    assert (len(dataset), sample.name, dataset.name(0)) == (1, "train/a", "train/a")
    assert sample.mask[0].tolist() == [0, 1, 2, 3, 4, 5]
    assert sample.mask[1].tolist() == [6, 7, 8, 9, 10, 255]
    assert sample.size == dataset.size(0) == (4, 6)
    description = dataset.describe()
    assert (description.num_classes, description.classes[8], description.colors[8]) == (11, "car", (64, 0, 128))
    assert set(description.things) == {"pole", "sign", "car", "pedestrian", "bicyclist"}


def test_absolute_paths_of_the_authors(made: Path) -> None:
    (made / "train.txt").write_text("/SegNet/CamVid/train/a.png /SegNet/CamVid/trainannot/a.png\n")
    assert CamVid(made.parent / made.name, "train").files(0) == (
        str(made / "train/a.png"),
        str(made / "trainannot/a.png"),
    )


def test_a_split_that_is_absent(made: Path) -> None:
    with pytest.raises(MissingSplit, match=r"no split 'test': .*test\.txt does not exist; there are train"):
        CamVid(made, "test")


def test_lists_that_do_not_fit(made: Path) -> None:
    (made / "val.txt").write_text("train/a.png\n")
    with pytest.raises(ValueError, match=r"val\.txt: a line holds an image and its mask"):
        CamVid(made, "val")
    (made / "val.txt").write_text("train/a.png trainannot/b.png\n")
    with pytest.raises(ValueError, match=r"names files that do not exist\n  1 missing: .*trainannot/b\.png"):
        CamVid(made, "val")


def test_another_value_is_refused(made: Path) -> None:
    Image.new("L", (6, 4), 12).save(made / "trainannot/a.png")
    with pytest.raises(ValueError, match=r"trainannot/a\.png .*: 12 in 24 pixels"):
        CamVid(made, "train")[0]


def test_the_real_one(shared: Path) -> None:
    train, val = (CamVid(shared / "camvid", split) for split in ("train", "val"))
    assert (len(train), len(val)) == (367, 101)
    for dataset in (train, val):
        sample = dataset[7]
        assert sample.image.shape == (3, 360, 480)
        assert set(sample.mask.unique().tolist()) <= {*range(11), 255}
    with pytest.raises(MissingSplit):
        CamVid(shared / "camvid", "test")


def test_the_original_form(shared: Path) -> None:
    train, val = (CamVid(shared / "camvid-sample", split) for split in ("train", "val"))
    assert (len(train), len(val)) == (4, 2)
    other = CamVid(shared / "camvid", "train")
    assert (train[0].mask == other[0].mask).all()
    assert train.name(0) == other.name(0)
