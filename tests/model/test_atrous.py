"""A convolution that may skip cells: its size, its reach and its parameters."""

import pytest
import torch
from torch import nn

from src.model.atrous import atrous


@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize(("kernel_size", "rate"), [(1, 1), (3, 1), (3, 6)])
def test_it_keeps_the_size_of_a_map_and_reads_what_lies_a_rate_away(kernel_size, rate, separable):
    unit = atrous(2, 3, None, kernel_size, rate, separable)
    for parameter in unit.parameters():
        nn.init.ones_(parameter)
    x = torch.zeros(1, 2, 15, 17, requires_grad=True)
    out = unit(x)
    assert out.shape == (1, 3, 15, 17)
    out[0, 0, 7, 8].backward()
    reach = rate * (kernel_size // 2)
    read = sorted({(7 + i * reach, 8 + j * reach) for i in (-1, 0, 1) for j in (-1, 0, 1)})
    assert x.grad[0, 0].nonzero().tolist() == [list(cell) for cell in read]


def test_a_separable_one_has_a_filter_per_channel_and_one_across_them():
    parameters = [tuple(p.shape) for p in atrous(4, 6, nn.BatchNorm2d, separable=True).parameters()]
    assert parameters == [(4, 1, 3, 3), (6, 4, 1, 1), (6,), (6,)]
    assert [tuple(p.shape) for p in atrous(4, 6, None).parameters()] == [(6, 4, 3, 3), (6,)]
