import numpy as np

from src.data.numbered import numbered

IDS = np.array([[0, 7, 7], [70_000, 0, 3]], np.int32)


def test_an_object_for_each_number() -> None:
    found = numbered(IDS, {70_000: 2, 7: 1})
    assert found.labels.tolist() == [2, 1]
    assert found.boxes.tolist() == [[0, 1, 1, 2], [1, 0, 3, 1]]
    assert (found.masks.numpy() == [IDS == 70_000, IDS == 7]).all()


def test_no_numbers_are_no_objects() -> None:
    found = numbered(IDS, {})
    assert (len(found), found.boxes.shape, found.masks.shape) == (0, (0, 4), (0, 2, 3))
