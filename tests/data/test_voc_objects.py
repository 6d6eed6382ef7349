from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.data.voc_objects import objects

IDS = np.array([[1, 1, 1, 255, 2, 0]], np.uint8)


def drawn(folder: Path) -> Path:
    Image.fromarray(IDS).save(folder / "a.png")
    return folder / "a.png"


def test_an_object_that_is_mostly_void_in_the_class_map_has_the_class_of_the_rest(tmp_path: Path) -> None:
    found = objects(drawn(tmp_path), np.array([[255, 255, 7, 255, 3, 0]], np.uint8), 100)
    assert found.labels.tolist() == [7, 3]
    assert found.boxes.tolist() == [[0, 0, 3, 1], [4, 0, 5, 1]]


@pytest.mark.parametrize("value", [0, 255])
def test_an_object_of_no_class_is_named(tmp_path: Path, value: int) -> None:
    with pytest.raises(ValueError, match=r"a\.png: object 2 is on background or void in the class map"):
        objects(drawn(tmp_path), np.array([[7, 7, 7, 255, value, 0]], np.uint8), 100)
