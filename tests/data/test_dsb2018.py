from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from src.data.dsb2018 import DSB2018
from src.data.interface import Dataset, MissingSplit
from src.data.sample import Instances

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


def tabled(folder: Path) -> Path:
    """As `numbered`, with run lengths in place of the label images."""
    rows = ["ImageId,EncodedPixels"]
    numbered(folder)
    for name, ids in zip("ab", IDS, strict=True):
        (folder / f"instances/{name}.png").unlink()
        rows += [f"{name},{encoded(ids == nucleus)}" for nucleus in np.unique(ids[ids > 0])]
    (folder / "instances").rmdir()
    (folder / "stage1_train_labels.csv").write_text("\n".join(rows) + "\n")
    return folder


def without_masks(folder: Path) -> Path:
    """As `official`, with run lengths in place of the masks."""
    rows = ["ImageId,EncodedPixels"]
    for place in sorted((official(folder) / "stage1_train").iterdir()):
        for mask in sorted((place / "masks").iterdir()):
            rows.append(f"{place.name},{encoded(np.array(Image.open(mask)) > 0)}")
            mask.unlink()
    (folder / "stage1_train_labels.csv").write_text("\n".join(rows) + "\n")
    return folder


def encoded(mask: np.ndarray) -> str:
    """Each pixel as a run of its own."""
    return " ".join(f"{place + 1} 1" for place in np.flatnonzero(mask.T))


def _picture(ids: np.ndarray) -> np.ndarray:
    """Opaque RGBA, as the Bowl's images are."""
    picture = RNG.integers(0, 256, (*ids.shape, 4), dtype=np.uint8)
    picture[..., 3] = 255
    return picture


@pytest.mark.parametrize("layout", [numbered, official, tabled, without_masks])
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
    assert len(dataset.files(0)) == (3 if layout is official else 2)
    objects = sample.instances
    expected = {(IDS[0] == nucleus).tobytes(): box for nucleus, box in ((300, [1, 1, 4, 5]), (2, [4, 1, 8, 5]))}
    assert by_pixels(objects) == expected
    assert objects.labels.tolist() == [1, 1]
    description = dataset.describe()
    assert description.fields == ("image", "mask", "instances")
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


def test_a_file_beside_the_folders_is_passed_over_and_a_second_image_in_one_is_not(tmp_path: Path) -> None:
    (official(tmp_path) / "stage1_train/notes.txt").touch()
    assert len(DSB2018(tmp_path, "train")) == 5
    Image.new("RGB", (9, 6)).save(tmp_path / "stage1_train/a1/images/other.png")
    with pytest.raises(ValueError, match=r"a folder holds one image in images .*\n  1 otherwise: .*a1"):
        DSB2018(tmp_path, "train")


def test_masks_may_overlap_hold_several_parts_or_nothing(tmp_path: Path) -> None:
    first = DSB2018(official(tmp_path), "train").pairs[0]
    overlapping = np.zeros((3, 6, 9), np.uint8)
    overlapping[0, 1:5, 3:6], overlapping[1, 0, 0], overlapping[1, 5, 8] = 255, 255, 255
    for name, mask in zip("xyz", overlapping, strict=True):
        Image.fromarray(mask).save(first.mask[0].with_name(f"{name}.png"))
    sample = DSB2018(tmp_path, "train", separate=False)[0]
    objects = sample.instances
    assert objects.boxes.tolist() == [[4, 1, 8, 5], [1, 1, 4, 5], [3, 1, 6, 5], [0, 0, 9, 6]]  # files 2, 300, x, y
    assert objects.masks.sum((1, 2)).tolist() == [16, 12, 12, 2]
    assert torch.equal(sample.mask.as_subclass(torch.Tensor).bool(), objects.masks.any(0))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a,1 2 3", r"stage1_train_labels\.csv: a nucleus of a .* are no pairs"),
        ("a,0 2", "are no pairs of a first pixel and a length"),
        ("a,50 9", "reach pixel 58 of 54"),
    ],
)
def test_run_lengths_that_cannot_be_drawn_are_named(tmp_path: Path, row: str, said: str) -> None:
    table = tabled(tmp_path) / "stage1_train_labels.csv"
    table.write_text(f"{table.read_text()}{row}\n")
    with pytest.raises(ValueError, match=said):
        DSB2018(tmp_path, "train")[0]


def test_a_table_of_another_kind_or_without_an_image_is_named(tmp_path: Path) -> None:
    table = tabled(tmp_path) / "stage1_train_labels.csv"
    table.write_text("".join(line for line in table.open() if not line.startswith("a")))
    with pytest.raises(ValueError, match=r"1 without a row: .*images/a\.png"):
        DSB2018(tmp_path, "train")
    table.write_text("name,pixels\na,1 2\n")
    with pytest.raises(ValueError, match=r"columns \['name', 'pixels'\]: it needs ImageId and EncodedPixels"):
        DSB2018(tmp_path, "train")


def test_an_image_without_nuclei_has_instances_of_the_right_shape(tmp_path: Path) -> None:
    (tabled(tmp_path) / "stage1_train_labels.csv").write_text("ImageId,EncodedPixels\na,\nb,1 1\n")
    sample = DSB2018(tmp_path, "train")[0]
    assert (sample.instances.boxes.shape, sample.instances.masks.shape) == ((0, 4), (0, 6, 9))
    assert not sample.mask.any()


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


def test_the_real_one_has_as_many_nuclei_as_published(shared: Path) -> None:
    both = [DSB2018(shared / "dsb2018", split) for split in ("train", "val")]
    assert sum(len(dataset[index].instances) for dataset in both for index in range(len(dataset))) == 7696


def test_all_three_real_sources_hold_the_same(shared: Path, tmp_path: Path) -> None:
    official, numbered = DSB2018(shared / "dsb2018-raw", "train"), DSB2018(shared / "dsb2018", "train")
    names = {numbered.name(index): index for index in range(len(numbered))}
    common = [index for index in range(len(official)) if official.name(index) in names]
    assert common
    for name in ("images", "stage1_train_labels.csv"):
        (tmp_path / name).symlink_to(shared / "dsb2018" / name)
    (tmp_path / "train.txt").write_text("\n".join(official.name(index) for index in common))
    tabled = DSB2018(tmp_path, "train")
    for place, index in enumerate(common):
        masks, ids, table = official[index], numbered[names[official.name(index)]], tabled[place]
        assert torch.equal(masks.image, ids.image)
        assert torch.equal(masks.image, table.image)
        assert torch.equal(masks.mask, ids.mask)
        assert by_pixels(masks.instances) == by_pixels(table.instances)
        single = masks.instances.masks.sum(0) <= 1  # two pixels of one image are of two nuclei, which no number says
        assert (~single).sum() <= 2
        assert pixels(masks.instances, single) == pixels(ids.instances, single)


def pixels(objects: Instances, where: torch.Tensor) -> set[bytes]:
    return {(mask & where).numpy().tobytes() for mask in objects.masks}


def by_pixels(objects: Instances) -> dict[bytes, list[float]]:
    """Boxes by mask, in no order."""
    return {mask.numpy().tobytes(): box.tolist() for mask, box in zip(objects.masks, objects.boxes, strict=True)}
