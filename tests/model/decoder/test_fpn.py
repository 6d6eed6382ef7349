"""The feature pyramid, against torchvision's with the same weights, and its branch."""

import pytest
import torch
from torch import nn
from torchvision.ops import FeaturePyramidNetwork

from src.model.decoder.fpn import Fpn
from src.model.upsample.nearest import Nearest

CHANNELS, REDUCTIONS = [2, 3, 4, 5, 6], [2, 4, 8, 16, 32]


def decoder(channels=CHANNELS, reductions=REDUCTIONS, upsample=Nearest, **options):
    torch.manual_seed(0)
    options = {"width": 8, "branch_width": 4} | options
    return Fpn(channels=channels, reductions=reductions, out_channels=1, upsample=upsample, **options)


def features(height, width, reductions=REDUCTIONS):
    sizes = [(-(-height // r), -(-width // r)) for r in reductions]
    return [torch.rand(2, c, *size, requires_grad=True) for c, size in zip(CHANNELS, sizes, strict=True)]


def test_the_pyramid_is_torchvisions_with_the_same_weights():
    ours, theirs = decoder(), FeaturePyramidNetwork(CHANNELS[1:], 8)
    for mine, other in [(ours.lateral, theirs.inner_blocks), (ours.smooth, theirs.layer_blocks)]:
        for conv, block in zip(mine, other, strict=True):
            block[0].load_state_dict(conv.state_dict())
    maps = features(64, 96)[1:]
    expected = theirs({str(index): feature for index, feature in enumerate(maps)})
    for level, other in zip(ours.pyramid(maps, {}), expected.values(), strict=True):
        torch.testing.assert_close(level, other)


def test_on_a_resnet50_the_pyramid_has_as_many_parameters_as_published():
    with torch.device("meta"):
        network = decoder([64, 256, 512, 1024, 2048], width=256)
    pyramid = [*network.lateral.parameters(), *network.smooth.parameters()]
    assert sum(parameter.numel() for parameter in pyramid) == 3_344_384


def test_each_level_takes_its_own_number_of_steps_to_the_shallowest():
    network = decoder()
    assert [(len(branch.convs), len(branch.upsamples)) for branch in network.branches] == [
        (1, 0),
        (1, 1),
        (2, 2),
        (3, 3),
    ]
    maps = features(33, 70)
    out = network(maps, {})
    assert (tuple(out.shape), network.reduction) == ((2, 4, 9, 18), 4)
    out.square().sum().backward()
    assert [feature.grad is not None for feature in maps] == [False, True, True, True, True]


def test_without_norms_it_is_the_sum_of_its_branches():
    network, maps = decoder(norm=None), features(32, 64)
    levels = network.pyramid(maps[1:], {})
    x = levels[2]
    for conv in network.branches[2].convs:
        x = conv(x).repeat_interleave(2, 2).repeat_interleave(2, 3)
    whole = network(maps, {})
    for branch in (network.branches[i] for i in (0, 1, 3)):
        nn.init.zeros_(branch.convs[-1][0].weight)
        nn.init.zeros_(branch.convs[-1][0].bias)
    torch.testing.assert_close(network(maps, {}), x)
    assert not torch.allclose(whole, x)


def test_features_of_one_size_need_no_pyramid():
    same = [16] * 5
    network = decoder(reductions=same)
    assert network(features(33, 70, same), {}).shape == (2, 4, 3, 5)
    assert network.reduction == 16


@pytest.mark.parametrize("reductions", [[2, 4, 6, 8, 16], [1, 1, 2, 2, 3], [2, 8, 4, 4, 16]])
def test_other_pyramids_are_refused(reductions):
    with pytest.raises(ValueError, match=r"from ÷4 \(model.decoder.finest\) on, each a multiple .* gives ÷"):
        decoder(reductions=reductions)


def test_a_pyramid_that_ends_early_takes_a_finer_level():
    assert decoder(reductions=[1, 1, 1, 2, 2], finest=1).reduction == 1
