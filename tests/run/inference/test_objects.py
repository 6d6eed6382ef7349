"""Objects of a class map: against scikit-image's parts, and discs that touch."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from skimage import measure

from src.data.description import Description
from src.run.inference.objects import Objects
from src.run.inference.picture import colored

COLORS = ((0, 0, 0), (255, 0, 0), (0, 255, 0))
CELLS = Description(("image", "mask"), ("background", "cell", "grain"), COLORS)


def discs(*places: tuple[int, int, int]) -> np.ndarray:
    """A map of class 1 within discs of (row, column, radius)."""
    rows, columns = np.indices((40, 60))
    return sum((rows - y) ** 2 + (columns - x) ** 2 <= r**2 for y, x, r in places).clip(0, 1).astype(np.uint8)


@given(arrays(np.uint8, (6, 7), elements=st.sampled_from([0, 1, 2, 255])))
def test_parts_are_those_of_scikit_image(mask):
    ids, counts = Objects(CELLS)(mask)
    expected = measure.label(np.where(mask == 255, 0, mask), connectivity=1)
    assert len(np.unique(np.stack([ids, expected]).reshape(2, -1), axis=1).T) == expected.max() + (expected == 0).any()
    assert np.array_equal(ids > 0, expected > 0)
    assert sum(counts.values()) == expected.max() == ids.max()
    assert counts["grain"] == len(np.unique(ids[mask == 2]))


def test_only_things_count_where_the_dataset_says_what_they_are():
    mask = np.array([[1, 0, 2, 0, 2]], np.uint8)
    things = Description(("mask",), ("background", "cell", "grain"), COLORS, things=("grain",))
    ids, counts = Objects(things)(mask)
    assert (ids.tolist(), counts) == ([[0, 0, 1, 0, 2]], {"grain": 2})
    with pytest.raises(ValueError, match="none of the classes"):
        Objects(Description(("mask",), ("sky", "sea"), COLORS[:2], things=()))


def test_small_ones_are_left_out_and_numbers_stay_without_gaps():
    ids, counts = Objects(CELLS, min_object=2)(np.array([[1, 0, 1, 1, 0, 2, 2, 2]], np.uint8))
    assert (ids.tolist(), counts) == ([[0, 0, 1, 1, 0, 2, 2, 2]], {"cell": 1, "grain": 1})


def test_watershed_parts_discs_that_touch_where_they_do():
    mask = discs((20, 15, 10), (20, 33, 10))
    assert Objects(CELLS)(mask)[1]["cell"] == 1
    ids, counts = Objects(CELLS, split=True)(mask)
    assert counts["cell"] == 2
    assert np.array_equal(ids > 0, mask > 0)
    assert len(np.unique(ids[:, :24][mask[:, :24] > 0])) == len(np.unique(ids[:, 25:][mask[:, 25:] > 0])) == 1


@pytest.mark.parametrize("mask", [discs((20, 20, 12)), discs((0, 0, 30)), np.ones((40, 60), np.uint8)])
def test_watershed_leaves_one_disc_alone_even_at_the_border(mask):
    ids, counts = Objects(CELLS, split=True)(mask)
    assert counts["cell"] == 1
    assert np.array_equal(ids, mask)


def test_a_dent_parts_nothing():
    mask = np.zeros((24, 44), np.uint8)
    mask[2:22, 2:42] = 1
    mask[2, 22] = 0
    assert Objects(CELLS, split=True)(mask)[1]["cell"] == 1


def test_more_than_a_file_can_number_is_refused():
    mask = np.zeros((520, 520), np.uint8)
    mask[::2, ::2] = 1
    with pytest.raises(ValueError, match="more than 65535 objects: say min_object"):
        Objects(CELLS)(mask)


def test_each_object_has_a_color_of_its_own_and_the_rest_is_the_image():
    ids = np.arange(60, dtype=np.uint16).reshape(6, 10)
    image = torch.full((1, 6, 10), 100, dtype=torch.uint8)
    picture = colored(image, ids, CELLS)
    assert len({tuple(pixel) for pixel in picture.reshape(-1, 3).tolist()}) == 60
    assert picture[0, 0].tolist() == [100, 100, 100]
    assert np.array_equal(picture, colored(image, ids, CELLS))


def test_the_watershed_finds_touching_nuclei_that_parts_merge(shared):
    found = {False: [], True: []}
    names = (shared / "dsb2018/val.txt").read_text().split()[:12]
    for name in names:
        truth = np.array(Image.open(shared / f"dsb2018/instances/{name}.png")).astype(int)
        mask = (truth > 0).astype(np.uint8)
        for split, matches in found.items():
            ids, _ = Objects(CELLS, split)(mask)
            matches.append(_f1(ids.astype(int), truth))
    parts, watershed = np.mean(found[False]), np.mean(found[True])
    assert watershed > parts + 0.03
    assert watershed > 0.9


def _f1(ids: np.ndarray, truth: np.ndarray) -> float:
    """Of objects that have more than half of their union in common."""
    table = np.zeros((ids.max() + 1, truth.max() + 1))
    np.add.at(table, (ids, truth), 1)
    union = table.sum(1, keepdims=True) + table.sum(0) - table
    hits = (table[1:, 1:] > 0.5 * union[1:, 1:]).sum()
    return 2 * hits / (len(np.unique(ids)) + len(np.unique(truth)) - 2)
