"""Nearest-neighbour upsampling, on the lecture's example."""

import torch

from src.model.upsample.nearest import Nearest


def test_the_example():
    x = torch.tensor([[[[1.0, 2], [3, 4]]]])
    expected = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    assert Nearest(channels=1, scale=2)(x, (4, 4))[0, 0].tolist() == expected
    assert Nearest(channels=1, scale=2)(x, (3, 3))[0, 0].tolist() == [row[:3] for row in expected[:3]]
