"""Transposed convolution: the lecture's sizes, and its equality with a gradient and with strided convolutions."""

import pytest
import torch
from torch.nn import functional as F

from src.model.upsample.bed_of_nails import nails
from src.model.upsample.transposed import Transposed


def operator(kernel_size, scale=2):
    torch.manual_seed(0)
    up = Transposed(kernel_size, channels=2, scale=scale)
    torch.nn.init.zeros_(up.conv.bias)
    return up


def test_the_lectures_3x3_of_stride_2_gives_4_cells_with_one_of_output_padding_and_3_without():
    up, x = operator(3), torch.rand(1, 2, 2, 2)
    assert (up.conv.padding, up.conv.output_padding) == ((1, 1), (1, 1))
    assert up(x, (4, 4)).shape[2:] == (4, 4)
    without = F.conv_transpose2d(x, up.conv.weight, stride=2, padding=1)
    assert without.shape[2:] == (3, 3)
    torch.testing.assert_close(up(x, (3, 3)), without)


@pytest.mark.parametrize(("kernel_size", "scale"), [(None, 2), (None, 3), (None, 8), (2, 2), (3, 2), (5, 4), (7, 3)])
def test_any_kernel_enlarges_exactly(kernel_size, scale):
    assert operator(kernel_size, scale).conv(torch.rand(1, 2, 3, 5)).shape[2:] == (3 * scale, 5 * scale)


def test_it_is_the_gradient_of_a_convolution():
    up, x = operator(4), torch.rand(1, 2, 3, 5)
    image = torch.rand(1, 2, 6, 10, requires_grad=True)
    small = F.conv2d(image, up.conv.weight, stride=2, padding=up.conv.padding)
    (gradient,) = torch.autograd.grad(small, image, x)
    torch.testing.assert_close(up(x, (6, 10)), gradient)


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_it_is_a_stride_1_over_s_convolution(scale):
    """Zeros between the cells, then a convolution of stride 1 with the kernel turned by 180°."""
    up, x = operator(3, scale), torch.rand(1, 2, 4, 4)
    turned = up.conv.weight.flip(2, 3).transpose(0, 1)
    border = 3 - 1 - up.conv.padding[0]
    dense = F.conv2d(F.pad(nails(x, scale), (border, 2, border, 2)), turned)
    size = (4 * scale, 4 * scale)
    torch.testing.assert_close(up(x, size), dense[..., : size[0], : size[1]], atol=1e-6, rtol=1e-5)


def test_a_kernel_that_leaves_gaps_is_refused():
    with pytest.raises(ValueError, match="kernel_size=2 leaves gaps at scale 4: give at least 4"):
        operator(2, 4)
