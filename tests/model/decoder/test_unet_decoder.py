"""U-Net's decoder: which features it takes, where, and what it refuses."""

import pytest
import torch

from src.model.decoder.unet import Unet
from src.model.upsample.nearest import Nearest


def decoder(widths=(8, 4), channels=(3, 5, 7), reductions=(1, 2, 4)):
    torch.manual_seed(0)
    return Unet(widths, channels=channels, reductions=reductions, out_channels=2, upsample=Nearest)


def test_every_feature_matters_and_is_appended_at_its_own_level():
    network = decoder()
    assert [level.convs[0][0].in_channels for level in network.levels] == [7 + 5, 8 + 3]
    features = [torch.rand(2, c, 12 // r, 8 // r, requires_grad=True) for c, r in [(3, 1), (5, 2), (7, 4)]]
    out = network(features, {})
    assert out.shape == (2, network.channels, 12, 8)
    out.square().sum().backward()
    assert all(feature.grad.any() for feature in features)


def test_levels_without_a_feature_go_on_to_full_resolution():
    network = decoder((8, 4, 2), channels=(3, 5), reductions=(4, 8))
    assert network([torch.rand(2, 3, 3, 5), torch.rand(2, 5, 2, 3)], {}).shape == (2, 2, 12, 20)


def test_fewer_widths_stop_before_full_resolution():
    network = decoder((8,))
    assert (network.channels, network.reduction) == (8, 2)
    features = [torch.rand(2, c, 12 // r, 8 // r, requires_grad=True) for c, r in [(3, 1), (5, 2), (7, 4)]]
    out = network(features, {})
    assert out.shape == (2, 8, 6, 4)
    out.square().sum().backward()
    assert [feature.grad is not None for feature in features] == [False, True, True]


@pytest.mark.parametrize("widths", [(8, 4, 2), ()])
def test_widths_are_counted_against_the_reductions(widths):
    with pytest.raises(
        ValueError, match=rf"widths has {len(widths)} entries, and a backbone that ends at ÷4 takes 1 to 2"
    ):
        decoder(widths)


@pytest.mark.parametrize("reductions", [(16, 16, 16), (3, 6, 12), (4, 2, 8)])
def test_other_pyramids_are_refused(reductions):
    with pytest.raises(ValueError, match=r"powers of two, and this backbone gives ÷"):
        decoder(reductions=reductions)
