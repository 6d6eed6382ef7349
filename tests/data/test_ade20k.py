from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.data.ade20k import ADE20K
from src.data.interface import Dataset, MissingSplit


@pytest.fixture
def made(tmp_path: Path) -> Path:
    root = tmp_path / "ADEChallengeData2016"
    for part in ("images", "annotations"):
        (root / part / "training").mkdir(parents=True)
    Image.new("RGB", (4, 3)).save(root / "images/training/ADE_train_1.jpg")
    Image.fromarray(np.array([[0, 1, 2, 150]] * 3, np.uint8)).save(root / "annotations/training/ADE_train_1.png")
    return tmp_path


@pytest.mark.parametrize("root", [".", "ADEChallengeData2016"])
def test_unlabelled_is_unknown_and_the_others_move_down(made: Path, root: str) -> None:
    dataset = ADE20K(made / root, "train")
    assert isinstance(dataset, Dataset)
    assert dataset[0].mask.tolist() == [[255, 0, 1, 149]] * 3
    assert (len(dataset), dataset.name(0), dataset.size(0)) == (1, "ADE_train_1", (3, 4))


def test_150_classes_with_100_things(made: Path) -> None:
    description = ADE20K(made, "train").describe()
    assert len(set(description.classes)) == 150
    assert len(description.things) == 100
    assert description.classes[:3] + description.classes[-1:] == ("wall", "building", "sky", "flag")
    assert description.colors[2] == (6, 230, 230)


def test_what_is_absent(made: Path) -> None:
    for split in ("val", "test"):
        with pytest.raises(MissingSplit, match=f"no split '{split}'"):
            ADE20K(made, split)
    Image.new("L", (4, 3), 151).save(made / "ADEChallengeData2016/annotations/training/ADE_train_1.png")
    with pytest.raises(ValueError, match="151 in 12 pixels"):
        ADE20K(made, "train")[0]
