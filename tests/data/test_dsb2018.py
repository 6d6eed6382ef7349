from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from src.data.dsb2018 import DSB2018
from src.data.interface import Dataset, MissingSplit

IDS = np.zeros((2, 6, 9), np.uint16)  # of two images
IDS[0, 1:5, 1:4], IDS[0, 1:5, 4:8] = 300, 2  # they touch
IDS[1, :3, :3] = 7
RNG = np.random.default_rng(0)


def numbered(folder: Path) -> Path:
    for name in ("images", "instances"):
        (folder / name).mkdir()
    for name, ids in zip("ab", IDS, strict=True):
        Image.fromarray(_picture(ids)).save(folder / f"images/{name}.png")
        Image.fromarray(ids).save(folder / f"instances/{name}.png")
    (folder / "train.txt").write_text("a\nb\n")
    (folder / "val.txt").write_text("b\n")
    return folder


def official(folder: Path) -> Path:
    for copy in range(3):
        for name, ids in zip("ab", IDS, strict=True):
            place = folder / f"stage1_train/{name}{copy}"
            for kind in ("images", "masks"):
                (place / kind).mkdir(parents=True)
            Image.fromarray(_picture(ids)).save(place / f"images/{name}{copy}.png")
            for nucleus in np.unique(ids[ids > 0]):
                Image.fromarray((ids == nucleus).astype(np.uint8) * 255).save(place / f"masks/{nucleus}.png")
    return folder


def _picture(ids: np.ndarray) -> np.ndarray:
    """Opaque RGBA, as the Bowl's images are."""
    picture = RNG.integers(0, 256, (*ids.shape, 4), dtype=np.uint8)
    picture[..., 3] = 255
    return picture


@pytest.mark.parametrize("layout", [numbered, official])
def test_a_sample(tmp_path: Path, layout) -> None:
    dataset = DSB2018(layout(tmp_path), "train")
    assert isinstance(dataset, Dataset)
    sample = dataset[0]
    assert sample.image.shape == (3, 6, 9)
    assert sample.mask[2].tolist() == [0, 1, 1, 0, 0, 1, 1, 1, 0]
    assert ndimage.label(sample.mask.numpy())[1] == 2
    assert sample.name == dataset.name(0)
    assert sample.size == dataset.size(0) == (6, 9)
    whole = DSB2018(tmp_path, "train", separate=False)[0]
    assert np.array_equal(whole.mask.numpy(), IDS[0] > 0)
    np.testing.assert_array_equal(whole.image.numpy(), sample.image.numpy())
    assert all(Path(file).is_file() for file in dataset.files(0))
    assert len(dataset.files(0)) == (2 if layout is numbered else 3)
    description = dataset.describe()
    assert (description.classes, description.things) == (("background", "nucleus"), ("nucleus",))


def test_the_lists_or_the_names_part_the_splits(tmp_path: Path) -> None:
    (tmp_path / "n").mkdir()
    numbered(tmp_path / "n")
    assert [DSB2018(tmp_path / "n", split).name(0) for split in ("train", "val")] == ["a", "b"]
    official(tmp_path)
    train, val = (DSB2018(tmp_path, split) for split in ("train", "val"))
    assert [train.name(index) for index in range(len(train))] == ["a0", "a1", "a2", "b0", "b1"]
    assert [val.name(index) for index in range(len(val))] == ["b2"]


def test_what_is_absent(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="looked for stage1_train"):
        DSB2018(tmp_path, "train")
    with pytest.raises(MissingSplit, match="masks for train and val only"):
        DSB2018(official(tmp_path), "test")
    (tmp_path / "stage1_train/b0/masks/7.png").unlink()
    with pytest.raises(ValueError, match=r"1 otherwise: .*b0"):
        DSB2018(tmp_path, "train")
    with pytest.raises(MissingSplit, match=r"test\.txt does not exist; there are train, val"):
        DSB2018(numbered(tmp_path), "test")
    (tmp_path / "instances/b.png").unlink()
    with pytest.raises(ValueError, match=r"train\.txt names files that do not exist\n  1 missing: .*instances/b\.png"):
        DSB2018(tmp_path, "train")


@pytest.mark.parametrize(
    ("size", "value", "said"),
    [((6, 9), 128, r"2\.png holds undeclared values: 128"), ((6, 8), 0, r"2\.png 6x8: a mas")],
)
def test_a_mask_that_does_not_fit_is_named(tmp_path: Path, size, value, said) -> None:
    official(tmp_path)
    Image.fromarray(np.full(size, value, np.uint8)).save(tmp_path / "stage1_train/a0/masks/2.png")
    with pytest.raises(ValueError, match=said):
        DSB2018(tmp_path, "train")[0]


def test_the_real_one(shared: Path) -> None:
    train, val = (DSB2018(shared / "dsb2018", split) for split in ("train", "val"))
    assert (len(train), len(val)) == (200, 50)
    ids = np.array(Image.open(val.files(3)[1]))
    whole = DSB2018(shared / "dsb2018", "val", separate=False)
    counts = [ndimage.label(dataset[3].mask.numpy())[1] for dataset in (val, whole)]
    assert counts[0] == len(np.unique(ids)) - 1 > counts[1]


def test_both_real_layouts_hold_the_same(shared: Path) -> None:
    official, numbered = DSB2018(shared / "dsb2018-raw", "train"), DSB2018(shared / "dsb2018", "train")
    names = {numbered.name(index): index for index in range(len(numbered))}
    compared = [(official[i], numbered[names[official.name(i)]]) for i in range(5) if official.name(i) in names]
    assert compared
    for ours, theirs in compared:
        np.testing.assert_array_equal(ours.image.numpy(), theirs.image.numpy())
        np.testing.assert_array_equal(ours.mask.numpy(), theirs.mask.numpy())
