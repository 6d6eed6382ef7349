"""Atrous spatial pyramid pooling, against torchvision's with the same weights."""

import pytest
import torch
from torch import nn
from torchvision.models.segmentation.deeplabv3 import ASPP

from src.model.decoder.aspp import Aspp


def pair():
    """Ours and torchvision's with the same weights; its norm of the mean is made to add our bias and nothing else."""
    torch.manual_seed(0)
    ours = Aspp((2, 3, 5), 0.0, False, nn.BatchNorm2d, in_channels=6, out_channels=4).eval()
    theirs = ASPP(6, (2, 3, 5), 4).eval()
    for layer in ours.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    for mine, other in zip(ours.branches, list(theirs.convs)[:-1], strict=True):
        other.load_state_dict(mine.state_dict())
    theirs.project.load_state_dict(ours.project[0].state_dict())
    nn.init.normal_(ours.mean[1][0].bias)
    pooled = theirs.convs[-1]
    pooled[1].weight = ours.mean[1][0].weight
    pooled[2].bias = ours.mean[1][0].bias
    pooled[2].running_var.fill_(1 - pooled[2].eps)
    return ours, theirs


@pytest.mark.parametrize("size", [(9, 7), (1, 1), (3, 12)])
def test_it_is_torchvisions_with_the_same_weights(size):
    ours, theirs = pair()
    x = torch.rand(2, 6, *size)
    torch.testing.assert_close(ours(x), theirs(x))


def test_one_image_is_enough_to_learn_from():
    network = Aspp((2, 3), 0.5, True, nn.BatchNorm2d, in_channels=6, out_channels=4).train()
    network(torch.rand(1, 6, 5, 4)).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
