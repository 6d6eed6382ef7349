from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from src.data.flaw import flaw
from src.data.interface import Dataset, MissingSplit
from src.data.kitti import KITTI

DRIVE = "2011_09_26_drive_0001_sync"
DEPTH = f"train/{DRIVE}/proj_depth/groundtruth/{{}}/0000000005.png"
CALIBRATION = """calib_time: 09-Jan-2012 13:57:47
S_rect_02: 1.242000e+03 3.750000e+02
P_rect_02: 7.2e+02 0.0 6.0e+02 4.4e+01 0.0 7.1e+02 1.7e+02 2.1e-01 0.0 0.0 1.0 2.7e-03
P_rect_03: 7.3e+02 0.0 6.1e+02 -3.4e+02 0.0 7.4e+02 1.8e+02 2.0e+00 0.0 0.0 1.0 2.7e-03
"""


@pytest.fixture
def made(tmp_path: Path) -> Path:
    depth = np.zeros((4, 6), np.uint16)
    depth[2, 3] = 256 * 20 + 128
    for eye in ("image_02", "image_03"):
        for folder, picture in (
            (tmp_path / "data_depth_annotated" / DEPTH.format(eye), Image.fromarray(depth)),
            (tmp_path / f"2011_09_26/{DRIVE}/{eye}/data/0000000005.png", Image.new("RGB", (6, 4), (9, 8, 7))),
        ):
            folder.parent.mkdir(parents=True)
            picture.save(folder)
    (tmp_path / "2011_09_26/calib_cam_to_cam.txt").write_text(CALIBRATION)
    return tmp_path


def test_a_sample(made: Path) -> None:
    dataset = KITTI(made, "train")
    assert isinstance(dataset, Dataset)
    assert (len(dataset), dataset.name(0), dataset.size(0)) == (2, f"{DRIVE}/image_02/0000000005", (4, 6))
    sample = dataset[0]
    assert sample.depth[0, 2, 3] == 20.5
    assert sample.depth.sum() == 20.5
    assert sample.camera.tolist() == torch.tensor([[720.0, 0, 600], [0, 710, 170], [0, 0, 1]]).tolist()
    assert dataset[1].camera[0].tolist() == [730, 0, 610]
    assert flaw(sample, dataset.describe()) is None
    assert [Path(file).parts[-3:] for file in dataset.files(1)] == [
        ("image_03", "data", "0000000005.png"),
        ("groundtruth", "image_03", "0000000005.png"),
    ]


@pytest.mark.parametrize("raw", [None, "elsewhere"])
def test_raw_recordings_stand_beside_or_where_it_is_said(made: Path, raw: str | None) -> None:
    if raw:
        (made / raw).mkdir()
        (made / "2011_09_26").rename(made / raw / "2011_09_26")
        with pytest.raises(ValueError, match=r"looked for .*say data\.raw="):
            KITTI(made, "train")
    assert len(KITTI(made / "data_depth_annotated", "train", raw=made / raw if raw else None)) == 2


def test_pictures_may_be_jpegs(made: Path) -> None:
    picture = made / f"2011_09_26/{DRIVE}/image_02/data/0000000005.png"
    Image.open(picture).save(picture.with_suffix(".jpg"))
    picture.unlink()
    assert KITTI(made, "train").files(0)[0].endswith(".jpg")


def test_what_is_absent(made: Path) -> None:
    with pytest.raises(MissingSplit, match="no split 'test' here: its depth is not public"):
        KITTI(made, "test")
    with pytest.raises(MissingSplit, match="val does not exist"):
        KITTI(made, "val")
    (made / f"2011_09_26/{DRIVE}/image_03/data/0000000005.png").unlink()
    with pytest.raises(ValueError, match=r"1 pictures missing: .*image_03/data/0000000005\.png"):
        KITTI(made, "train")


def test_a_calibration_that_says_nothing_is_named(made: Path) -> None:
    (made / "2011_09_26/calib_cam_to_cam.txt").write_text("P_rect_02: 1 2 3\n")
    with pytest.raises(ValueError, match=r"calib_cam_to_cam\.txt has no line P_rect_0[23] with 12 numbers"):
        KITTI(made, "train")


def test_depth_of_another_size_names_both(made: Path) -> None:
    Image.fromarray(np.ones((4, 5), np.uint16)).save(made / "data_depth_annotated" / DEPTH.format("image_02"))
    with pytest.raises(ValueError, match=r"data/0000000005\.png is 4x6 .*groundtruth/image_02/0000000005\.png is 4x5"):
        KITTI(made, "train")[0]
