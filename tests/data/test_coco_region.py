import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.data.coco_region import region

# What COCO's own tools (pycocotools 2.0.11) draw, as pixels read column by column, packed into bytes.
GOLDEN = [
    ([[1.2, 1.5, 7.7, 2.1, 6.3, 5.9, 2.0, 4.4]], (7, 9), "0040e1c3878f1000"),
    ([[-1.98, -2.49, 17.33, 25.3, 12.17, 19.61, 10.59, 25.99, 17.4, -2.92]], (9, 12), "80603c1f0fe7fbfffffffffffff0"),
    ([[0, 0, 4, 0, 4, 4], [3, 3, 8, 3, 8, 6, 3, 6]], (7, 9), "010307e1c3870e00"),
]


def lengths(mask: np.ndarray) -> list[int]:
    """Column by column, beginning with the outside."""
    flat = np.concatenate([[False], mask.T.reshape(-1)])
    return np.diff([0, *np.flatnonzero(flat[1:] != flat[:-1])]).tolist()


def text(counts: list[int]) -> str:
    """COCO's compression, written down the other way round."""
    found = ""
    for place, value in enumerate(counts):
        value -= counts[place - 2] if place > 2 else 0
        more = True
        while more:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            found += chr(48 + (bits | 32 * more))
    return found


@pytest.mark.parametrize(("polygons", "size", "packed"), GOLDEN)
def test_polygons_as_cocos_own_tools_draw_them(polygons, size, packed):
    assert np.packbits(region(polygons, size).T.reshape(-1)).tobytes().hex() == packed


def test_run_lengths_of_a_known_mask():
    mask = np.array([[0, 1, 1], [0, 1, 0]], bool)
    assert (region({"counts": [2, 3, 1], "size": [2, 3]}, (2, 3)) == mask).all()
    assert (region({"counts": "231", "size": [2, 3]}, (2, 3)) == mask).all()


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.floats(0, 1))
def test_both_kinds_of_run_lengths_give_the_mask_back(seed, height, width, share):
    mask = np.random.default_rng(seed).random((height, width)) < share
    mask = np.kron(mask, np.ones((3, 2), bool))  # runs of more than 31
    counts, size = lengths(mask), mask.shape
    assert sum(counts) <= mask.size
    assert (region({"counts": counts, "size": list(size)}, size) == mask).all()
    assert (region({"counts": text(counts), "size": list(size)}, size) == mask).all()


@pytest.mark.parametrize(
    ("segmentation", "said"),
    [
        ([[1, 1, 2, 2]], "no x and y for each of three corners"),
        ([[1, 1, 2, 2, 3, 3, 4]], "no x and y for each of three corners"),
        ([[1, 1, 2, float("nan"), 3, 3]], "holds what is no number of pixels"),
        ([[1, 1, 2, "2", 3, 3]], "holds what is no number of pixels"),
        ([[1, 1, 2, -3e18, 3, 3]], "holds what is no number of pixels"),
        ("polygon", "neither polygons nor run lengths"),
        ({"counts": [1]}, "neither polygons nor run lengths"),
        ({"counts": [1, 2], "size": [3, 2]}, r"are for \[3, 2\], the image is \[2, 3\]"),
        ({"counts": [1, 200], "size": [2, 3]}, "reach pixel 201 of 6"),
        ({"counts": "2~", "size": [2, 3]}, "the character '~'"),
    ],
)
def test_what_is_no_region(segmentation, said):
    with pytest.raises(ValueError, match=said):
        region(segmentation, (2, 3))
