"""Bed of nails: the lecture's example, its transposed convolution, and the convolution that fills the gaps."""

import torch
from torch.nn import functional as F

from src.model.upsample.bed_of_nails import BedOfNails, nails


def test_the_example():
    x = torch.tensor([[[[1.0, 2], [3, 4]]]])
    assert nails(x, 2)[0, 0].tolist() == [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 4, 0], [0, 0, 0, 0]]


def test_it_is_a_transposed_convolution_with_a_delta():
    x, delta = torch.rand(2, 1, 4, 5), torch.zeros(1, 1, 3, 3)
    delta[..., 0, 0] = 1
    torch.testing.assert_close(nails(x, 3), F.conv_transpose2d(x, delta, stride=3))


def test_the_convolution_reaches_every_cell():
    operator = BedOfNails(channels=1, scale=3)
    torch.nn.init.ones_(operator.conv.weight)
    torch.nn.init.zeros_(operator.conv.bias)
    assert (operator(torch.ones(1, 1, 3, 3), (9, 9))[..., :7, :7] > 0).all()  # up to the last nail
