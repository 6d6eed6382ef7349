from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from src.run.inference import blend
from src.run.inference.blend import blended, enlarged, windows


@given(tile=st.integers(1, 40), more=st.integers(0, 200), overlap=st.floats(0, 0.9))
@settings(max_examples=60, deadline=None)
def test_the_weights_sum_to_one_everywhere(tile: int, more: int, overlap: float):
    length = tile + more
    starts, weights = windows(length, tile, overlap)
    total = torch.zeros(length)
    for start, weight in zip(starts, weights, strict=True):
        total[start : start + tile] += weight
    torch.testing.assert_close(total, torch.ones(length), atol=1e-6, rtol=0)
    assert starts[0] == 0
    assert starts[-1] == length - tile
    assert (weights > 0).all()
    gaps = [after - before for before, after in pairwise(starts)]
    assert all(gap <= max(1, round(tile * (1 - overlap))) for gap in gaps), "less overlap than was asked for"


def test_a_tile_fades_out_towards_its_neighbour():
    _, weights = windows(15, 10, 0.5)
    assert (weights[0].diff() <= 1e-6).all()
    assert weights[0, -1] < 0.1
    torch.testing.assert_close(weights[0, :5], torch.ones(5))


@pytest.mark.parametrize("at_once", [1, 3])
@pytest.mark.parametrize(("tile", "overlap"), [((5, 7), 0.0), ((5, 7), 0.25), ((5, 7), 0.8), ((23, 7), 0.25)])
def test_blending_a_local_function_changes_nothing_and_holds_one_band(tile, overlap, at_once):
    image = torch.rand(2, 23, 30)
    rows = []
    for top, band in blended(image, tile, overlap, at_once, lambda tiles: tiles * 2 + 1):
        assert top == sum(len(part[0]) for part in rows)
        assert band.untyped_storage().nbytes() == 2 * tile[0] * 30 * 4  # two channels, tile by width, float32
        rows.append(band.clone())
    torch.testing.assert_close(torch.cat(rows, 1), image * 2 + 1)


@pytest.mark.parametrize("size", [(37, 50), (4, 6), (1, 1), (9, 3)])
def test_enlarging_in_bands_is_enlarging(size, monkeypatch):
    monkeypatch.setattr(blend, "_STRIP", 3 * size[1])
    output = torch.randn(3, 6, 9)
    bands = list(enlarged(output, size))
    assert max(band.shape[1] for _, band in bands) <= 3
    expected = F.interpolate(output[None], size, mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(torch.cat([band for _, band in bands], 1), expected)
