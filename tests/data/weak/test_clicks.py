import numpy as np
import pytest
from scipy.ndimage import label

from src.data.weak.clicks import Clicks

MASK = np.zeros((20, 30), np.uint8)
MASK[2:9, 2:9], MASK[2:9, 12:19], MASK[15, 25], MASK[12:, :5] = 1, 1, 2, 255


@pytest.mark.parametrize("per_object", [1, 3])
def test_so_many_in_each_component_and_none_in_the_unknown(per_object):
    found = Clicks(per_object)(MASK, np.random.default_rng(0))
    assert (found == 0).sum() == per_object
    assert [(found[2:9, x : x + 7] == 1).sum() for x in (2, 12)] == [per_object, per_object]
    assert (found == 2).sum() == 1  # of a single pixel
    assert (found != 255).sum() == 3 * per_object + 1
    known = found != 255
    assert (found[known] == MASK[known]).all()


def test_people_click_inside():
    clicks = [Clicks()(MASK, np.random.default_rng(seed))[2:9, 2:9] == 1 for seed in range(40)]
    places = np.argwhere(np.any(clicks, axis=0))
    assert len(places) > 10  # anywhere in the inner half
    assert places.min() == 1
    assert places.max() == 5


def test_pixels_that_touch_at_a_corner_are_one_object():
    diagonal = np.eye(6, dtype=np.uint8)
    assert label(diagonal)[1] == 6
    assert (Clicks()(diagonal, np.random.default_rng(0)) == 1).sum() == 1
