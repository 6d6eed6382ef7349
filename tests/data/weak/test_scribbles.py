import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, label

from src.data.weak.scribbles import Scribbles

RING = np.zeros((40, 60), np.uint8)
RING[5:35, 5:55], RING[13:27, 13:47] = 1, 255


def drawn(mask, seed=0, **options):
    return Scribbles(**options)(mask, np.random.default_rng(seed))


@pytest.mark.parametrize("mask", [RING, np.kron(RING, np.ones((8, 8), np.uint8))])
def test_a_stroke_is_connected_inside_and_runs_along_the_middle(mask):
    found = drawn(mask)
    assert set(np.unique(found[mask == 1])) == {1, 255}
    assert (found[mask != 1] != 1).all()
    stroke = found == 1
    assert label(stroke, np.ones((3, 3)))[1] == 1
    deep = distance_transform_edt(mask == 1)
    assert np.median(deep[drawn(mask, width=1) == 1]) > 0.6 * deep.max()
    assert stroke.sum() < 0.25 * (mask == 1).sum() + 200


def test_longer_and_wider_strokes_cover_more():
    covered = [(drawn(RING, length=length, width=width) == 1).sum() for length, width in [(0.1, 1), (1.0, 1), (1.0, 5)]]
    assert covered[0] < 0.3 * covered[1] < 0.2 * covered[2]


def test_every_component_of_every_class_has_one():
    rng = np.random.default_rng(1)
    mask = np.kron(rng.integers(0, 4, (7, 9)).astype(np.uint8), np.ones((5, 4), np.uint8))
    mask[0, 0] = 255
    found = drawn(mask)
    for each in range(4):
        parts, count = label(mask == each, np.ones((3, 3)))
        assert set(parts[found == each].tolist()) == set(range(1, count + 1))
    known = found != 255
    assert (found[known] == mask[known]).all()


def test_a_single_pixel_and_another_seed():
    point = np.full((3, 3), 255, np.uint8)
    point[1, 1] = 4
    assert drawn(point).tolist() == point.tolist()
    assert (drawn(RING, 0) != drawn(RING, 1)).any()
