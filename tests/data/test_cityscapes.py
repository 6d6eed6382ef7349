from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.data.cityscapes import Cityscapes
from src.data.interface import Dataset, MissingSplit

IMAGE, MASK = "leftImg8bit/val/{0}_leftImg8bit.png", "gtFine/val/{0}_gtFine_labelIds.png"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    for name in ("lindau/lindau_000001_000019", "frankfurt/frankfurt_000000_000294"):
        for pattern in (IMAGE, MASK):
            (tmp_path / pattern.format(name)).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (17, 2)).save(tmp_path / IMAGE.format(name))
        Image.fromarray(np.arange(34, dtype=np.uint8).reshape(2, 17)).save(tmp_path / MASK.format(name))
    (tmp_path / "leftImg8bit/test/berlin").mkdir(parents=True)
    return tmp_path


def test_34_labels_become_19_classes(made: Path) -> None:
    dataset = Cityscapes(made, "val")
    assert isinstance(dataset, Dataset)
    found = dict(zip(range(34), dataset[0].mask.flatten().tolist(), strict=True))
    official = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
    assert [found[label] for label in official] == list(range(19))
    assert {found[label] for label in set(range(34)) - set(official)} == {255}


def test_cities_are_part_of_the_name(made: Path) -> None:
    dataset = Cityscapes(made, "val")
    assert [dataset.name(0), dataset.name(1)] == ["frankfurt/frankfurt_000000_000294", "lindau/lindau_000001_000019"]
    assert dataset.size(0) == (2, 17)
    description = dataset.describe()
    assert (description.num_classes, description.classes[13], description.colors[13]) == (19, "car", (0, 0, 142))
    assert len(description.things) == 8


def test_what_is_absent(made: Path) -> None:
    with pytest.raises(MissingSplit, match="no split 'test' here: its masks are not public"):
        Cityscapes(made, "test")
    with pytest.raises(MissingSplit, match="leftImg8bit/train does not exist"):
        Cityscapes(made, "train")
    (made / MASK.format("lindau/lindau_000001_000019")).unlink()
    with pytest.raises(ValueError, match=r"1 missing: .*lindau_000001_000019_gtFine"):
        Cityscapes(made, "val")


def test_a_mask_without_an_image_is_named(made: Path) -> None:
    (made / IMAGE.format("lindau/lindau_000001_000019")).unlink()
    with pytest.raises(ValueError, match=r"1 without an image: .*lindau_000001_000019_gtFine_labelIds\.png"):
        Cityscapes(made, "val")
