"""FCN's skips on any pyramid: scores are added where they belong, and each step is the user's operator."""

import pytest
import torch
from torch import nn

from src.model.decoder.fcn import Fcn
from src.model.upsample.nearest import Nearest

CHANNELS, REDUCTIONS = [2, 3, 4, 5], [4, 8, 16, 32]


def decoder(skips, channels=CHANNELS, reductions=REDUCTIONS):
    return Fcn(skips, channels=channels, reductions=reductions, out_channels=1, upsample=Nearest)


def test_fcn8s_adds_three_scores_each_at_its_resolution():
    network = decoder((8, 16))
    for score, weight in zip(network.scores, [1.0, 10.0, 100.0], strict=True):
        nn.init.constant_(score.weight, weight / score.in_channels)
        nn.init.zeros_(score.bias)
    features = [torch.zeros(1, c, 64 // r, 32 // r) for c, r in zip(CHANNELS, REDUCTIONS, strict=True)]
    for feature in features:
        feature[:, :, 0, 0] = 1
    out = network(features, {})[0, 0]
    assert out.shape == (64, 32)
    assert [out[0, 0], out[0, 8], out[0, 16], out[32, 0]] == [111, 110, 100, 0]


def test_fcn32s_reads_the_deepest_feature_alone():
    network = decoder((), reductions=[16, 16, 16, 16])
    features = [torch.rand(1, c, 2, 3, requires_grad=True) for c in CHANNELS]
    out = network(features, {})
    assert out.shape == (1, 1, 32, 48)
    out.sum().backward()
    assert [feature.grad is not None for feature in features] == [False, False, False, True]


@pytest.mark.parametrize("reductions", [[2, 4, 16, 32], [2, 4, 8, 16], [8, 16, 16, 16]])
def test_a_pyramid_without_8_16_and_a_deeper_one_is_refused(reductions):
    with pytest.raises(ValueError, match="fcn8s adds features at ÷8, ÷16 to a deeper one, and this backbone gives ÷"):
        decoder((8, 16), reductions=reductions)
