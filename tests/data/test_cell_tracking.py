from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from src.data.cell_tracking import CellTracking
from src.data.interface import Dataset, MissingSplit

CELLS = np.zeros((5, 8), np.uint16)
CELLS[1:4, 1:4], CELLS[1:4, 4:7] = 9, 400  # they touch


def frames(folder: Path, dtype: type = np.uint8) -> Path:
    """Two sequences of three frames; of the first two are labelled, of the other one."""
    for sequence, labelled in (("01", [0, 2]), ("02", [1])):
        (folder / sequence).mkdir(parents=True)
        (folder / f"{sequence}_GT/SEG").mkdir(parents=True)
        for time in range(3):
            picture = np.arange(40, dtype=dtype).reshape(5, 8) + dtype(100 * time)
            tifffile.imwrite(folder / f"{sequence}/t{time:03}.tif", picture)
        for time in labelled:
            tifffile.imwrite(folder / f"{sequence}_GT/SEG/man_seg{time:03}.tif", CELLS)
    return folder


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_the_labelled_frames(tmp_path: Path, dtype, white) -> None:
    train, val = (CellTracking(frames(tmp_path / split, dtype), split) for split in ("train", "val"))
    assert isinstance(train, Dataset)
    assert [train.name(index) for index in range(len(train))] == ["01/t000", "01/t002"]
    assert [val.name(index) for index in range(len(val))] == ["02/t001"]
    sample = train[1]
    assert sample.image.numpy().dtype == dtype
    assert sample.image[0, 0, :3].tolist() == [200, 201, 202]
    assert sample.mask[2].tolist() == [0, 1, 1, 0, 0, 1, 1, 0]
    assert ndimage.label(sample.mask.numpy())[1] == 2
    assert sample.size == train.size(1) == (5, 8)
    description = train.describe()
    assert (description.channels, description.value_range, description.things) == (1, (0, white), ("cell",))


def test_options(tmp_path: Path) -> None:
    frames(tmp_path, np.uint16)
    (tmp_path / "02_GT").rename(tmp_path / "02_ST")
    dataset = CellTracking(tmp_path, "train", ["02"], [], "ST", separate=False, value_range=[0, 4095])
    assert np.array_equal(dataset[0].mask.numpy(), CELLS > 0)
    assert dataset.describe().value_range == (0, 4095)


def test_floats_must_say_what_white_is(tmp_path: Path) -> None:
    frames(tmp_path, np.float32)
    with pytest.raises(ValueError, match=r"t000\.tif holds floats: say what black and white are"):
        CellTracking(tmp_path, "train")
    assert CellTracking(tmp_path, "train", value_range=[0, 300])[0].image.numpy().dtype == np.float32


def test_what_is_absent(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"looked for 01 in"):
        CellTracking(tmp_path, "train")
    frames(tmp_path)
    with pytest.raises(MissingSplit, match="set apart for 'test'"):
        CellTracking(tmp_path, "test")
    with pytest.raises(MissingSplit, match=r"data\.val names the sequence 03, and .*03 does not exist"):
        CellTracking(tmp_path, "val", val=["03"])
    with pytest.raises(ValueError, match="both name the sequence 01"):
        CellTracking(tmp_path, "train", val=["01", "02"])
    with pytest.raises(ValueError, match=r"looked for man_seg\*\.tif in .*01_ST/SEG"):
        CellTracking(tmp_path, "train", truth="ST")
    (tmp_path / "01/t002.tif").unlink()
    with pytest.raises(ValueError, match=r"1 missing: .*t002\.tif"):
        CellTracking(tmp_path, "train")


def test_files_that_do_not_fit_are_named(tmp_path: Path) -> None:
    frames(tmp_path)
    tifffile.imwrite(tmp_path / "01/t002.tif", CELLS)
    with pytest.raises(ValueError, match=r"t002\.tif holds uint16, .*t000\.tif uint8"):
        CellTracking(tmp_path, "train")[1]
    tifffile.imwrite(tmp_path / "01_GT/SEG/man_seg_000_003.tif", CELLS)
    with pytest.raises(ValueError, match=r"volumes are not read\n  1 others: .*man_seg_000_003\.tif"):
        CellTracking(tmp_path, "train")
