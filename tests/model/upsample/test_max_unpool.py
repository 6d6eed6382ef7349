"""Max-unpooling: values return to their places, also at odd sizes, and what it cannot undo is refused."""

import pytest
import torch
from torch.nn import functional as F

from src.model.interface import Pool
from src.model.upsample.max_unpool import MaxUnpool


def pool(x, kernel_size=2, padding=0):
    out, indices = F.max_pool2d(x, kernel_size, 2, padding, ceil_mode=kernel_size == 2, return_indices=True)
    return out, Pool(indices, tuple(x.shape[-2:]))


def unpool(x, pool):
    return MaxUnpool(channels=x.shape[1], scale=2)(x, pool.size, pool)


def test_the_example():
    small, remembered = pool(torch.tensor([[[[1.0, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]]]]))
    assert small[0, 0].tolist() == [[5, 6], [7, 8]]
    expected = [[0, 0, 2, 0], [0, 1, 0, 0], [0, 0, 0, 0], [3, 0, 0, 4]]
    assert unpool(torch.tensor([[[[1.0, 2], [3, 4]]]]), remembered)[0, 0].tolist() == expected


@pytest.mark.parametrize("size", [(4, 6), (5, 7), (1, 1), (23, 30)])
@pytest.mark.parametrize("deterministic", [False, True])
def test_pooling_undoes_it_where_nothing_is_negative(size, deterministic):
    small, remembered = pool(torch.rand(2, 3, *size))
    try:
        torch.use_deterministic_algorithms(deterministic)
        large = unpool(small, remembered)
    finally:
        torch.use_deterministic_algorithms(False)
    assert large.shape[2:] == size
    assert torch.equal(pool(large)[0], small)
    assert (large != 0).sum() == small.numel()


def test_zeros_win_over_negative_maxima():
    small, remembered = pool(-1 - torch.rand(1, 1, 4, 4))
    large = unpool(small, remembered)
    assert (large < 0).sum() == 4
    assert not pool(large)[0].any()


def test_a_negative_maximum_alone_in_its_window_comes_back():
    """The last row and column of an odd size are windows of their own: there is no zero beside it."""
    small, remembered = pool(-1 - torch.rand(1, 1, 3, 3))
    assert pool(unpool(small, remembered))[0][0, 0, 1, 1] == small[0, 0, 1, 1]


@pytest.mark.parametrize("size", [(7, 7), (8, 5), (1, 2)])
def test_overlapping_windows_put_values_where_one_of_them_had_its_maximum(size):
    x = torch.rand(1, 2, *size) + 1
    small, remembered = pool(x, kernel_size=3, padding=1)
    large = unpool(small, remembered)
    assert large.shape[2:] == size
    torch.testing.assert_close(large, torch.where(large > 0, x, 0))  # the maxima themselves, at home
    assert set(large.nonzero()[:, 2:].mv(torch.tensor([size[1], 1])).tolist()) == set(
        remembered.indices.flatten().tolist()
    )


def test_other_channels_use_the_places_of_the_first():
    small, remembered = pool(torch.rand(1, 2, 4, 4))
    large = unpool(torch.ones(1, 3, 2, 2), remembered)
    assert torch.equal(large[:, 2], large[:, 0])
    assert torch.equal(large[:, :2] > 0, unpool(small, remembered) > 0)


def test_what_it_cannot_undo_is_refused():
    with pytest.raises(ValueError, match=r"undoes a pooling by 2, and this decoder enlarges by 8 at once: .* bilinear"):
        MaxUnpool(channels=3, scale=8)
    with pytest.raises(ValueError, match=r"did not pool on its way from a map of \(4, 6\) to \(2, 3\): .*widths"):
        MaxUnpool(channels=3, scale=2)(torch.rand(1, 3, 2, 3), (4, 6))
