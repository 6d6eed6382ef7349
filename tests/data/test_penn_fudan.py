from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.data.interface import Dataset, MissingSplit
from src.data.penn_fudan import PennFudan

IDS = np.array([[0, 1, 1, 0], [2, 2, 0, 0], [2, 0, 0, 0]], np.uint8)


def made(folder: Path, count: int = 5) -> Path:
    """Pictures of 3 by 4 pixels, each with two pedestrians."""
    for part in ("PNGImages", "PedMasks", "Annotation"):
        (folder / part).mkdir(parents=True)
    for number in range(1, count + 1):
        name = f"{'Fudan' if number < 3 else 'Penn'}Ped{number:05}"
        Image.new("RGB", (4, 3), (number, 0, 0)).save(folder / f"PNGImages/{name}.png")
        Image.fromarray(IDS).save(folder / f"PedMasks/{name}_mask.png")
        (folder / f"Annotation/{name}.txt").write_text("# PASCAL Annotation Version 1.00\n")
    return folder


def test_pedestrians_and_their_map(tmp_path: Path) -> None:
    train, val = (PennFudan(made(tmp_path / split / "PennFudanPed").parent, split) for split in ("train", "val"))
    assert isinstance(train, Dataset)
    names = ["FudanPed00001", "FudanPed00002", "PennPed00003", "PennPed00004"]
    assert [train.name(index) for index in range(len(train))] == names
    assert [val.name(index) for index in range(len(val))] == ["PennPed00005"]
    assert [Path(file).name for file in val.files(0)] == ["PennPed00005.png", "PennPed00005_mask.png"]
    sample = val[0]
    assert (sample.size, sample.image[:, 0, 0].tolist()) == ((3, 4), [5, 0, 0])
    assert (sample.mask.numpy() == (IDS > 0)).all()
    found = sample.instances
    assert (found.boxes.tolist(), found.labels.tolist()) == ([[1, 0, 3, 1], [0, 1, 2, 3]], [1, 1])
    assert (found.masks.numpy() == [IDS == 1, IDS == 2]).all()
    assert (val.describe().classes, val.describe().countable) == (("background", "person"), (1,))


def test_a_picture_without_pedestrians(tmp_path: Path) -> None:
    root = made(tmp_path)
    Image.fromarray(IDS * 0).save(root / "PedMasks/FudanPed00001_mask.png")
    sample = PennFudan(root, "train")[0]
    assert (len(sample.instances), int(sample.mask.max())) == (0, 0)


def test_what_is_no_penn_fudan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="looked for PedMasks in"):
        PennFudan(tmp_path, "train")
    root = made(tmp_path / "a")
    with pytest.raises(MissingSplit, match="divided into train and val here, there is no 'test'"):
        PennFudan(root, "test")
    (root / "PNGImages/PennPed00004.png").unlink()
    (root / "PedMasks/FudanPed00002_mask.png").unlink()
    with pytest.raises(ValueError, match=r"(?s)1 without a mask: .*FudanPed00002\.png.*an image: .*PennPed00004_mask"):
        PennFudan(root, "val")
    Image.fromarray(IDS.T).save(root / "PedMasks/FudanPed00002_mask.png")
    (root / "PedMasks/PennPed00004_mask.png").unlink()
    with pytest.raises(ValueError, match=r"FudanPed00002\.png is 3x4 .* 4x3: one of them is transposed"):
        PennFudan(root, "train")[1]
