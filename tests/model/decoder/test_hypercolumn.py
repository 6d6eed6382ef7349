"""Hypercolumns: the sum of classifiers is the classifier of the concatenation."""

import pytest
import torch
from torch.nn import functional as F

from src.model.decoder.hypercolumn import Hypercolumn
from src.model.upsample.bilinear import Bilinear
from src.model.upsample.nearest import Nearest

CHANNELS, REDUCTIONS = [2, 3, 4, 5], [2, 4, 8, 32]


def decoder(taps=None, reductions=REDUCTIONS, upsample=Bilinear):
    torch.manual_seed(0)
    return Hypercolumn(taps, channels=CHANNELS, reductions=reductions, out_channels=7, upsample=upsample).double()


def features(height=33, width=50, reductions=REDUCTIONS):
    sizes = [(-(-height // r), -(-width // r)) for r in reductions]
    return [torch.rand(2, c, *size, dtype=torch.float64) for c, size in zip(CHANNELS, sizes, strict=True)]


@pytest.mark.parametrize("taps", [None, [2, 8], [4, 8, 32], [32]])
def test_it_is_one_classifier_on_all_tapped_features_concatenated(taps):
    network, maps = decoder(taps), features()
    chosen = [(f, r) for f, r in zip(maps, REDUCTIONS, strict=True) if taps is None or r in taps]
    finest, size = chosen[0][1], tuple(chosen[0][0].shape[2:])
    enlarged = [
        F.interpolate(f, scale_factor=r // finest, mode="bilinear")[..., : size[0], : size[1]] for f, r in chosen
    ]
    weight = torch.cat([score.weight for score in network.scores], dim=1)
    bias = sum(score.bias for score in network.scores)
    expected = F.conv2d(torch.cat(enlarged, dim=1), weight, bias)
    assert network.reduction == finest
    torch.testing.assert_close(network(maps, {}), expected, rtol=1e-12, atol=1e-12)


def test_equal_levels_are_added_as_they_are():
    same = [16, 16, 16, 16]
    network, maps = decoder(reductions=same), features(reductions=same)
    expected = sum(score(f) for score, f in zip(network.scores, maps, strict=True))
    torch.testing.assert_close(network(maps, {}), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("taps", [[16], [2, 3], []])
def test_a_tap_that_is_not_there_is_refused_with_those_that_are(taps):
    with pytest.raises(ValueError, match=r"taps=\[.*\]: take some of what this backbone gives, ÷2, ÷4, ÷8, ÷32, or"):
        decoder(taps)


def test_reductions_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match=r"whole multiples of the shallowest, and this backbone gives ÷2, ÷3"):
        decoder(reductions=[2, 3, 8, 32], upsample=Nearest)
