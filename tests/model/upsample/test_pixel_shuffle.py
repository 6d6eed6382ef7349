"""Sub-pixel convolution: the layout of its sub-pixels."""

import torch
from torch import nn
from torch.nn import functional as F

from src.model.upsample.pixel_shuffle import PixelShuffle


def test_scale_squared_values_per_cell_become_its_sub_pixels():
    up = PixelShuffle(channels=2, scale=3)
    nn.init.zeros_(up.conv.weight)
    up.conv.bias.data = torch.arange(18.0)
    out = up(torch.rand(1, 2, 2, 2), (6, 6))
    assert out[0, 0, :3, 3:].tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert out[0, 1, 3:, :3].tolist() == [[9, 10, 11], [12, 13, 14], [15, 16, 17]]


def test_unshuffling_gives_the_convolution_back():
    up, x = PixelShuffle(channels=2, scale=2), torch.rand(1, 2, 3, 5)
    torch.testing.assert_close(F.pixel_unshuffle(up(x, (6, 10)), 2), up.conv(x))
