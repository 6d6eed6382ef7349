"""DeepLabv3+: its rates, its shallow feature, and its size beside segmentation-models-pytorch's."""

import pytest
import torch
from torch import nn

from src.model.decoder.deeplabv3plus import Deeplabv3plus
from src.model.upsample.bilinear import Bilinear

CHANNELS, REDUCTIONS = [2, 3, 4, 5], [2, 4, 8, 16]


def decoder(channels=CHANNELS, reductions=REDUCTIONS, **options):
    torch.manual_seed(0)
    return Deeplabv3plus(channels=channels, reductions=reductions, out_channels=1, upsample=Bilinear, **options)


@pytest.mark.parametrize(
    ("reductions", "rates"),
    [([2, 4, 8, 16], [6, 12, 18]), ([2, 4, 8, 8], [12, 24, 36]), ([4, 8, 16, 32], [3, 6, 9])],
)
def test_the_rates_reach_as_far_in_the_image_at_every_stride(reductions, rates):
    convs = [layer for layer in decoder(reductions=reductions).aspp.modules() if isinstance(layer, nn.Conv2d)]
    assert [conv.dilation[0] for conv in convs if conv.kernel_size == (3, 3)] == rates


def test_it_reads_the_deepest_feature_and_the_one_at_4():
    network = decoder(width=8, low_width=2, dropout=0.0)
    sizes = [(17, 25), (9, 13), (5, 7), (3, 4)]
    features = [torch.rand(2, c, *s, requires_grad=True) for c, s in zip(CHANNELS, sizes, strict=True)]
    out = network(features, {})
    assert (tuple(out.shape), network.reduction) == ((2, 8, 9, 13), 4)
    out.sum().backward()
    assert [feature.grad is not None for feature in features] == [False, True, False, True]


@pytest.mark.parametrize("separable", [True, False])
def test_it_is_as_large_as_the_peers_with_the_same_encoder(separable):
    """The peer's second 3×3 stands before the shallow feature and is always separable; our mean has a bias, no norm."""
    smp = pytest.importorskip("segmentation_models_pytorch")
    with torch.device("meta"):
        peer = smp.DeepLabV3Plus("resnet18", encoder_weights=None, decoder_aspp_separable=separable).decoder
        ours = decoder([64, 64, 128, 512], separable=separable)
    difference = 256  # scale and shift of a norm, against a bias
    if not separable:
        for width in (256 + 48, 256):
            difference -= 9 * width * 256 - (9 * width + width * 256)
    assert _count(peer) - _count(ours) == difference


@pytest.mark.parametrize("reductions", [[16, 16, 16, 16], [2, 2, 4, 4], [4, 8, 16, 30]])
def test_a_backbone_without_a_deep_and_a_shallow_feature_is_refused(reductions):
    with pytest.raises(ValueError, match=r"one at ÷4 \(model.decoder.low\), and this backbone gives ÷"):
        decoder(reductions=reductions)


def test_another_shallow_feature_can_be_said():
    network = decoder(reductions=[8, 8, 16, 32], low=8, width=4)
    assert network.reduction == 8


def _count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())
