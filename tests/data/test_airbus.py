from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.data.airbus import Airbus
from src.data.interface import Dataset, MissingSplit

TABLE = "train_ship_segmentations_v2.csv"


def made(folder: Path, rows: list[str], count: int = 10) -> Path:
    """Pictures of 3 by 4 pixels, 0.jpg ...; those without a row of their own show no ship."""
    (folder / "train_v2").mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (4, 3)).save(folder / f"train_v2/{number}.jpg")
    blank = [f"{number}.jpg," for number in range(count) if not any(row.startswith(f"{number}.") for row in rows)]
    (folder / TABLE).write_text("\n".join(["ImageId,EncodedPixels", *rows, *blank]))
    return folder


def of(dataset: Airbus, name: str) -> int:
    return [dataset.name(index) for index in range(len(dataset))].index(name)


def test_ships_down_the_columns_from_one(tmp_path: Path) -> None:
    root = made(tmp_path, ["1.jpg,2 2 6 1", "1.jpg,10 3"])
    dataset = Airbus(root, "train")
    assert isinstance(dataset, Dataset)
    sample = dataset[of(dataset, "1")]
    ids = np.array([[0, 0, 0, 2], [1, 0, 0, 2], [1, 1, 0, 2]])
    assert (sample.mask.numpy() == (ids > 0)).all()
    assert (sample.instances.masks.numpy() == [ids == 1, ids == 2]).all()
    assert sample.instances.boxes.tolist() == [[0, 1, 2, 3], [3, 0, 4, 3]]
    assert (sample.instances.labels.tolist(), sample.size) == ([1, 1], (3, 4))
    assert dataset.describe().countable == (1,)
    assert [Path(file).name for file in dataset.files(of(dataset, "1"))] == ["1.jpg", TABLE]


def test_images_without_ships(tmp_path: Path) -> None:
    root = made(tmp_path, ["1.jpg,1 1"])
    train, val = (Airbus(root, split) for split in ("train", "val"))
    names = [[dataset.name(index) for index in range(len(dataset))] for dataset in (train, val)]
    assert ([len(part) for part in names], sorted(names[0] + names[1])) == (
        [8, 2],
        [f"{number}" for number in range(10)],
    )
    sample = val[0]
    assert (len(sample.instances), sample.instances.masks.shape, int(sample.mask.max())) == (0, (0, 3, 4), 0)
    assert len(Airbus(root, "train", empty=False)) == 1
    assert len(Airbus(root, "val", empty=False)) == 0


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["1.jpg,2 2 6"], "'2 2 6' are no pairs"),
        (["1.jpg,2 0"], "'2 0' are no pairs"),
        (["1.jpg,two 2"], "'two 2' are no pairs"),
        (["1.jpg,0 2"], "'0 2' are no pairs"),
        (["1.jpg,12 2"], "reach pixel 13 of 12"),
        (["1.jpg,2 2", "1.jpg,3 1"], "hold pixels of another ship"),
    ],
)
def test_a_ship_that_cannot_be_drawn(tmp_path: Path, rows: list[str], said: str) -> None:
    dataset = Airbus(made(tmp_path, rows), "train")
    with pytest.raises(ValueError, match=rf"v2\.csv: a ship of 1\.jpg cannot be drawn: .*{said}"):
        dataset[of(dataset, "1")]


def test_what_is_no_airbus(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"looked for {TABLE} in"):
        Airbus(tmp_path, "train")
    root = made(tmp_path / "a", ["1.jpg,1 1"])
    with pytest.raises(MissingSplit, match="for train and val only, not for 'test'"):
        Airbus(root, "test")
    (root / "train_v2/1.jpg").unlink()
    with pytest.raises(ValueError, match=r"v2\.csv names files that do not exist\n.*1 missing: .*1\.jpg"):
        Airbus(root, "train")
    (root / TABLE).write_text("image,ships\n")
    with pytest.raises(ValueError, match=r"has the columns \['image', 'ships'\]: it needs ImageId"):
        Airbus(root, "train")
