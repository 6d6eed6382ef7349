import numpy as np
import pytest
import torch

from src.loss.berhu import Berhu


def test_it_is_linear_up_to_a_fifth_of_the_largest_error_and_square_beyond(depths):
    output, target = (tensor.detach().double().numpy() for tensor in depths)
    size = np.abs(output - target)[~np.isnan(target)]
    bend = size.max() / 5
    expected = np.where(size <= bend, size, (size**2 + bend**2) / (2 * bend)).mean()
    assert Berhu()(*depths).item() == pytest.approx(expected, rel=1e-6)


def test_the_slope_is_1_up_to_the_bend_and_grows_from_there():
    output = torch.tensor([0.5, -1.0, 3.0, -5.0]).view(1, 1, 2, 2).requires_grad_()
    (slope,) = torch.autograd.grad(Berhu()(output, torch.zeros_like(output)), output)  # bends at 1
    torch.testing.assert_close(4 * slope.flatten(), torch.tensor([1.0, -1.0, 3.0, -5.0]))


def test_at_a_share_of_1_all_is_linear(depths):
    output, target = depths
    torch.testing.assert_close(Berhu(1.0)(output, target), (output - target).abs().nanmean())
