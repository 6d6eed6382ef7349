"""Convolution, norm, ReLU: what each choice builds."""

import torch
from torch import nn

from src.model.convolution import convolution


def test_a_norm_replaces_the_bias():
    assert [type(layer) for layer in convolution(2, 3, nn.BatchNorm2d)] == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]
    assert convolution(2, 3, nn.BatchNorm2d)[0].bias is None
    assert [type(layer) for layer in convolution(2, 3, None)] == [nn.Conv2d, nn.ReLU]
    assert convolution(2, 3, None)[0].bias is not None


def test_the_scale_of_activations_is_kept():
    torch.manual_seed(0)
    x = torch.randn(4, 64, 16, 16)
    for _ in range(8):
        x = convolution(64, 64, None)(x)
    assert 0.3 < x.square().mean().item() < 3  # torch's own initialisation leaves 1e-6 of it
