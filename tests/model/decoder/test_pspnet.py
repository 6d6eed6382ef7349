"""PSPNet: what is pooled, what the classifier reads, and how it is enlarged."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from src.model.decoder.pspnet import Pspnet
from src.model.upsample.bilinear import Bilinear
from src.model.upsample.nearest import Nearest


def decoder(upsample=Nearest, **options):
    torch.manual_seed(0)
    options = {"width": 8, "norm": None} | options
    return Pspnet(channels=[2, 12], reductions=[4, 8], out_channels=3, upsample=upsample, **options)


def test_the_classifier_reads_the_feature_and_its_means_over_four_grids():
    network = decoder().eval()
    seen = []
    network.fuse.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    x = torch.rand(1, 12, 12, 18)
    network([torch.rand(1, 2, 24, 36), x], {})
    own, *grids = seen[0].split([12, 3, 3, 3, 3], dim=1)
    assert torch.equal(own, x)
    for side, grid, (_, unit) in zip((1, 2, 3, 6), grids, network.grids, strict=True):
        means = x.unflatten(3, (side, -1)).unflatten(2, (side, -1)).mean(dim=(3, 5))
        expected = F.relu(F.conv2d(means, unit[0].weight, unit[0].bias))
        torch.testing.assert_close(grid, F.interpolate(expected, (12, 18), mode="bilinear"))


def test_its_scores_are_enlarged_at_once_by_the_users_upsampling():
    network = decoder()
    out = network([torch.rand(2, 2, 3, 5), torch.rand(2, 12, 2, 3)], {})
    assert (tuple(out.shape), network.channels, network.reduction) == ((2, 3, 16, 24), 3, 1)
    assert torch.equal(out, out[..., ::8, ::8].repeat_interleave(8, 2).repeat_interleave(8, 3))


@pytest.mark.parametrize("size", [(1, 2), (9, 4)])
def test_one_image_is_enough_to_learn_from(size):
    network = decoder(Bilinear, norm=nn.BatchNorm2d).train()
    network([torch.rand(1, 2, 4, 4), torch.rand(1, 12, *size)], {}).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_the_grids_together_weigh_as_much_as_the_feature():
    """On a ResNet: 2048 channels, 512 for each of four grids, and a 3×3 convolution from 4096 (Zhao et al., 2017)."""
    with torch.device("meta"):
        network = Pspnet(channels=[2048], reductions=[8], out_channels=21, upsample=Bilinear)
    assert [unit[0].weight.shape[:2] for _, unit in network.grids] == [(512, 2048)] * 4
    assert network.fuse[0].weight.shape == (512, 4096, 3, 3)
