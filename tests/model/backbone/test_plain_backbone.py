"""The plain encoder: its levels, and what it publishes of its pools."""

import pytest
import torch
from torch import nn

from src.model.backbone.plain import Plain


def test_each_level_convolves_and_then_pools():
    backbone = Plain((4, 6), depth=2, in_channels=3)
    assert (backbone.channels, backbone.reductions) == ([4, 6, 6], [1, 2, 4])
    convs = [layer for layer in backbone.modules() if isinstance(layer, nn.Conv2d)]
    assert [(c.in_channels, c.out_channels) for c in convs] == [(3, 4), (4, 4), (4, 6), (6, 6)]
    image = torch.rand(2, 3, 9, 13)
    features, pools = backbone.eval().pooled(image)
    assert [f.shape[2:] for f in features] == [(9, 13), (5, 7), (3, 4)]
    assert {before: pool.size for before, pool in pools.items()} == {1: (9, 13), 2: (5, 7)}
    assert all(torch.equal(ours, plain) for ours, plain in zip(features, backbone(image), strict=True))
    torch.testing.assert_close(features[2], nn.functional.max_pool2d(features[1], 2, ceil_mode=True))


def test_no_norm_leaves_biases():
    kinds = {type(layer).__name__ for layer in Plain((4,), norm=None, in_channels=1).modules()}
    assert "BatchNorm2d" not in kinds


@pytest.mark.parametrize("options", [{"widths": ()}, {"depth": 0}])
def test_an_empty_network_is_refused(options):
    with pytest.raises(ValueError, match="give one width and depth at least"):
        Plain(**options, in_channels=3)
