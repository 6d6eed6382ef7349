"""Lines between objects that touch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from src.data.separate import foreground


def test_objects_that_touch_are_parted_by_two_pixels():
    ids = np.array([[1, 1, 1, 2, 2, 2, 0, 3, 3]]).repeat(3, 0)
    assert foreground(ids, True).tolist() == [[1, 1, 0, 0, 1, 1, 0, 1, 1]] * 3
    assert foreground(ids, False).tolist() == [[1, 1, 1, 1, 1, 1, 0, 1, 1]] * 3


def test_corners_touch_in_both_diagonals():
    ids = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 2, 2], [0, 0, 2, 2]])
    expected = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 1]])
    assert np.array_equal(foreground(ids, True), expected)
    assert np.array_equal(foreground(ids[:, ::-1], True), expected[:, ::-1])


def test_an_object_that_would_vanish_stays():
    ids = np.array([[1, 1, 1, 2, 3, 3, 3]], np.uint16)
    assert foreground(ids, True).tolist() == [[1, 1, 0, 1, 0, 1, 1]]


@pytest.mark.parametrize("separate", [True, False])
def test_nothing_is_nothing(separate):
    assert foreground(np.zeros((3, 1), np.uint16), separate).sum() == 0


@given(arrays(np.uint8, (7, 8), elements=st.integers(0, 4)))
def test_each_part_is_of_one_object_unless_one_vanished(ids):
    mask = foreground(ids, True)
    assert set(ids[mask == 1]) == set(ids[ids > 0])
    parts, count = ndimage.label(mask, np.ones((3, 3)))
    inside = [set(ids[parts == number]) for number in range(1, count + 1)]
    tiny = [index for index in np.unique(ids[ids > 0]) if not _inner(ids, index).any()]
    assert tiny or all(len(names) == 1 for names in inside)


def _inner(ids: np.ndarray, index: int) -> np.ndarray:
    others = ndimage.binary_dilation((ids > 0) & (ids != index), np.ones((3, 3)))
    return (ids == index) & ~others
