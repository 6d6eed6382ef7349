from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat
from torch import Tensor

from src.data.flaw import flaw
from src.data.interface import Dataset, MissingSplit
from src.data.nyuv2 import NYUv2

COUNT, HEIGHT, WIDTH = 12, 48, 64
RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 6, (COUNT, HEIGHT, WIDTH), dtype=np.uint16)
IMAGES = RNG.integers(0, 256, (COUNT, 3, HEIGHT, WIDTH), dtype=np.uint8)
CLASSES = [3, 40, 1, 1, 22]  # of the labels 1 to 5, among the 40
TRAIN, TEST = [2, 3, 5, 6, 8, 9, 11, 12], [1, 4, 7, 10]


def depths(hole: float = 0.0) -> np.ndarray:
    """A wall of 2 m with a row of holes."""
    metres = np.full((COUNT, HEIGHT, WIDTH), 2.0, np.float32) + np.arange(COUNT, dtype=np.float32)[:, None, None] / 8
    metres[:, 20, 30:40] = hole or metres[:, 20, 30:40]
    return metres


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """The official files, made small: MATLAB's columns come first, and strings are references to their letters."""
    with h5py.File(tmp_path / "nyu_depth_v2_labeled.mat", "w") as file:
        for key, value in {"images": IMAGES, "depths": depths(), "rawDepths": depths(), "labels": LABELS}.items():
            file[key] = value.swapaxes(-1, -2)
        file["rawDepths"][:, 30:40, 20] = 0
        names = [f"room_{index // 2:04d}" for index in range(COUNT)]  # two pictures of each scene
        for index, name in enumerate(names):
            file[f"#refs#/{index}"] = np.frombuffer(name.encode("utf-16-le"), np.uint16)[:, None]
        references = [file[f"#refs#/{index}"].ref for index in range(COUNT)]
        file.create_dataset("scenes", data=np.array([references], h5py.ref_dtype), dtype=h5py.ref_dtype)
    savemat(tmp_path / "splits.mat", {"trainNdxs": np.array([TRAIN]).T, "testNdxs": np.array([TEST]).T})
    savemat(tmp_path / "classMapping40.mat", {"mapClass": np.array([CLASSES], np.uint8)})
    return tmp_path


def test_the_archive(archive: Path) -> None:
    dataset = NYUv2(archive, "test", crop=None)
    assert isinstance(dataset, Dataset)
    assert [dataset.name(index) for index in range(len(dataset))] == ["0001", "0004", "0007", "0010"]
    sample = dataset[1]
    assert torch.equal(sample.image.as_subclass(Tensor), torch.from_numpy(IMAGES[3]))
    inside = slice(1, 47), slice(1, 63)
    assert (sample.depth[0][inside] == 2.375).all()
    expected = np.array([255, *(index - 1 for index in CLASSES)])[LABELS[3]]
    np.testing.assert_array_equal(sample.mask[inside], expected[inside])
    description = dataset.describe()
    assert description.fields == ("image", "mask", "depth", "normals", "camera")
    assert (description.num_classes, description.classes[2], description.classes[39]) == (40, "cabinet", "other prop")
    assert flaw(sample, description) is None
    assert dataset.size(0) == (HEIGHT, WIDTH)


def test_val_is_whole_scenes_of_the_official_training_pictures(archive: Path) -> None:
    train, val = (NYUv2(archive, split, val_fraction=0.5) for split in ("train", "val"))
    names = [int(data.name(index)) for data in (train, val) for index in range(len(data))]
    assert sorted(names) == TRAIN
    scenes = [{(int(data.name(index)) - 1) // 2 for index in range(len(data))} for data in (train, val)]
    assert scenes[1]
    assert not scenes[0] & scenes[1]
    assert len(NYUv2(archive, "train", val_fraction=0)) == len(TRAIN)
    with pytest.raises(MissingSplit, match=r"train, test and val \(data\.val_fraction\), not 'val'"):
        NYUv2(archive, "val", val_fraction=0)


def test_the_sensors_own_depth_has_holes_and_no_normals_in_them(archive: Path) -> None:
    raw, filled = (NYUv2(archive, "train", depth=depth)[0] for depth in ("raw", "filled"))
    assert (raw.depth[0, 20, 30:40] == 0).all()
    assert (raw.normals[:, 20, 30:40] == 0).all()
    assert (filled.depth[0, 20, 30:40] > 0).all()
    known = (filled.normals != 0).any(0)
    assert (filled.normals[2][known] < -0.999).all()  # a wall before the camera


def test_thirteen_classes(archive: Path) -> None:
    dataset = NYUv2(archive, "test", classes=13)
    assert dataset.describe().classes[:4] == ("bed", "books", "ceiling", "chair")
    merged = {3: "furniture", 40: "objects", 1: "wall", 22: "ceiling"}
    label, found = LABELS[0, 20:30, 20:30], dataset[0].mask[20:30, 20:30]
    for number, fine in enumerate(CLASSES, 1):
        assert (found[label == number] == dataset.describe().classes.index(merged[fine])).all()
    assert (found[label == 0] == 255).all()


def test_without_the_class_map_there_are_no_labels(archive: Path) -> None:
    (archive / "classMapping40.mat").unlink()
    dataset = NYUv2(archive, "train", normals=None)
    assert dataset.describe().fields == ("image", "depth", "camera")
    assert (dataset[0].mask, dataset[0].normals) == (None, None)


@pytest.mark.parametrize(("split", "crop", "valid"), [
    ("train", "eigen", (1, 47, 1, 63)),
    ("test", "eigen", (5, 47, 5, 60)),
    ("test", None, (1, 47, 1, 63)),
])  # fmt: skip
def test_the_frame_and_in_evaluation_all_outside_of_the_crop_is_unknown(archive, split, crop, valid) -> None:
    sample = NYUv2(archive, split, crop=crop)[0]
    inside = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    inside[valid[0] : valid[1], valid[2] : valid[3]] = True
    assert torch.equal(sample.depth[0].as_subclass(Tensor) > 0, inside)
    assert (sample.mask[~inside] == 255).all()
    assert (sample.normals[:, ~inside] == 0).all()
    assert torch.equal(sample.image.as_subclass(Tensor), torch.from_numpy(IMAGES[int(sample.name) - 1]))


def test_a_truncated_archive_is_named(archive: Path) -> None:
    path = archive / "nyu_depth_v2_labeled.mat"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"nyu_depth_v2_labeled\.mat cannot be read: .*not completely copied"):
        NYUv2(archive, "train")


def test_an_archive_without_its_splits_says_where_they_belong(archive: Path) -> None:
    (archive / "splits.mat").unlink()
    with pytest.raises(ValueError, match=r"splits\.mat is not there: it is published with the archive"):
        NYUv2(archive, "train")


def test_a_share_of_no_scenes_is_refused(archive: Path) -> None:
    with pytest.raises(ValueError, match=r"data\.val_fraction=1\.0: a share of the training scenes"):
        NYUv2(archive, "train", val_fraction=1.0)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for index in range(4):
        for folder, array in (
            ("images", RNG.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)),
            ("depths", np.full((HEIGHT, WIDTH), 50 + index, np.uint8)),
            ("labels40", np.full((HEIGHT, WIDTH), 36 + index, np.uint8)),
        ):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(array).save(tmp_path / folder / f"000{index}.png")
    (tmp_path / "train.txt").write_text("0003\n0001\n")
    (tmp_path / "val.txt").write_text("0002\n")
    return tmp_path


def test_folders_of_eight_bits(folders: Path) -> None:
    dataset = NYUv2(folders, "train")
    assert [dataset.name(0), dataset.name(1)] == ["0003", "0001"]
    sample = dataset[1]
    middle = (24, 32)
    assert sample.depth[0][middle] == pytest.approx(51.5 / 25.5)
    assert (sample.mask[middle], dataset[0].mask[middle]) == (37, 255)  # 39 is anything
    assert sample.normals[:, 24, 32].tolist() == pytest.approx([0, 0, -1], abs=1e-6)
    assert flaw(sample, dataset.describe()) is None
    with pytest.raises(MissingSplit, match=r"no .*test\.txt; there are train, val"):
        NYUv2(folders, "test")


def test_without_lists_a_fifth_is_val(folders: Path) -> None:
    (folders / "train.txt").unlink()
    names = [{data.name(index) for index in range(len(data))} for data in (NYUv2(folders, s) for s in ("train", "val"))]
    assert (len(names[0]), len(names[1]), len(names[0] | names[1])) == (3, 1, 4)


def test_the_camera_is_that_of_the_size(folders: Path) -> None:
    fx, cx = NYUv2(folders, "train")[0].camera[0, [0, 2]].tolist()
    assert fx == pytest.approx(518.857901 / 10)
    assert cx == pytest.approx((325.582449 + 0.5) / 10 - 0.5)


def test_files_that_do_not_match_are_all_named(folders: Path) -> None:
    (folders / "depths/0001.png").unlink()
    with pytest.raises(ValueError, match=r"1 without depth: 0001"):
        NYUv2(folders, "train")
    with pytest.raises(ValueError, match=r"NYU Depth v2 .* is not in data\.root"):
        NYUv2(folders / "images", "train")


@pytest.mark.parametrize("folder", ["nyuv2-half", "nyuv2-sample", "nyuv2-normals-small"])
def test_the_real_pictures(shared: Path, folder: str) -> None:
    dataset = NYUv2(shared / folder, "train")
    sample = dataset[0]
    assert flaw(sample, dataset.describe()) is None
    known = sample.depth > 0
    assert 0.85 < known.float().mean() < 1
    assert 0.3 < sample.depth[known].min() < sample.depth[known].max() <= 255.5 / 25.5
    assert (sample.normals.norm(dim=0)[(sample.normals != 0).any(0)] - 1).abs().max() < 1e-5


def test_computed_normals_are_those_of_the_files_within_what_eight_bits_allow(shared: Path) -> None:
    files, computed = (NYUv2(shared / "nyuv2-normals-small", "train", normals=how) for how in ("auto", "computed"))
    dots = []
    for index in range(5):
        ours, theirs = computed[index].normals.as_subclass(Tensor), files[index].normals.as_subclass(Tensor)
        both = (ours != 0).any(0) & (theirs != 0).any(0)
        dots.append((ours * theirs).sum(0)[both])
    angle = torch.rad2deg(torch.acos(torch.cat(dots).clamp(-1, 1)))
    assert angle.median() < 10
