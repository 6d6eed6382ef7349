"""The plain decoder: its widths, its steps, and that it has no skips."""

from functools import partial

import pytest
import torch

from src.model.backbone.plain import Plain as Encoder
from src.model.decoder.plain import Plain
from src.model.encoder_decoder import EncoderDecoder
from src.model.head.conv import Conv
from src.model.upsample.max_unpool import MaxUnpool
from src.model.upsample.nearest import Nearest

PYRAMID = {"channels": [4, 6, 8, 8], "reductions": [1, 2, 4, 8]}


def decoder(**options):
    return Plain(**options, **PYRAMID, out_channels=2, upsample=Nearest)


def test_widths_follow_from_the_backbone_or_are_given():
    assert [layers[0][0].out_channels for layers in decoder().mirror.layers] == [6, 4, 4]
    given = decoder(widths=(5, 3, 7), depth=2)
    assert [layers[-1][0].out_channels for layers in given.mirror.layers] == [5, 3, 7]
    assert [len(layers) for layers in given.mirror.layers] == [2, 2, 2]
    assert (given.channels, given.reduction) == (7, 1)


def test_only_the_deepest_feature_is_read():
    features = [
        torch.rand(2, c, 13 // r + 1, 9 // r + 1, requires_grad=True) for c, r in zip(*PYRAMID.values(), strict=True)
    ]
    out = decoder()(features, {})
    assert out.shape == (2, 4, 14, 10)
    out.square().sum().backward()
    assert [feature.grad is not None for feature in features] == [False, False, False, True]


def test_unpooling_finds_as_many_channels_as_were_pooled():
    network = EncoderDecoder(partial(Encoder, (4, 6, 8)), Plain, MaxUnpool, Conv, in_channels=3, out_channels=2).eval()
    channels = []
    for step in network.decoder.mirror.upsamples:
        step.register_forward_hook(
            lambda layer, inputs, out: channels.append((out.shape[1], inputs[2].indices.shape[1]))
        )
    assert network(torch.rand(1, 3, 19, 21)).shape == (1, 2, 19, 21)
    assert channels == [(8, 8), (6, 6), (4, 4)]


@pytest.mark.parametrize("options", [{"widths": (4, 4)}, {"depth": 0}])
def test_widths_are_counted_against_the_steps(options):
    with pytest.raises(ValueError, match="one width for each of the 3 steps that lead back from ÷8 to ÷1"):
        decoder(**options)


def test_features_of_one_size_are_refused():
    with pytest.raises(ValueError, match=r"decoder=plain goes back .* gives ÷16, ÷16: take a pyramid"):
        Plain(channels=[4, 4], reductions=[16, 16], out_channels=2, upsample=Nearest)
