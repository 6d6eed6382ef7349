"""Transposed convolution with bilinear filters: the published rows, and equality with interpolation."""

import pytest
import torch

from src.model.upsample.bilinear import Bilinear
from src.model.upsample.bilinear_deconv import BilinearDeconv, bilinear_filter


def test_the_published_filters():
    assert bilinear_filter(4)[:2].tolist() == [[0.0625, 0.1875, 0.1875, 0.0625], [0.1875, 0.5625, 0.5625, 0.1875]]
    assert bilinear_filter(3)[:2].tolist() == [[0.25, 0.5, 0.25], [0.5, 1, 0.5]]


@pytest.mark.parametrize("scale", [2, 3, 8])
def test_inside_it_is_bilinear_interpolation(scale):
    x, size = torch.rand(2, 3, 5, 6), (5 * scale, 6 * scale)
    ours, theirs = (kind(channels=3, scale=scale)(x, size) for kind in (BilinearDeconv, Bilinear))
    inside = (..., slice(scale, -scale), slice(scale, -scale))  # at the border it fades into zeros
    torch.testing.assert_close(ours[inside], theirs[inside])


def test_fixed_filters_are_no_parameters_and_trainable_ones_are():
    assert list(BilinearDeconv(channels=3, scale=2).parameters()) == []
    assert [p.shape for p in BilinearDeconv(True, channels=3, scale=2).parameters()] == [(3, 1, 4, 4)]


def test_the_whole_response_is_what_the_paper_crops_from():
    deconv = BilinearDeconv(channels=1, scale=8)
    assert deconv.full(torch.rand(1, 1, 70, 70)).shape[2:] == (568, 568)
