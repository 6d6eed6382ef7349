"""One feature of the backbone, and nothing beyond it."""

from functools import partial

import pytest
import torch

from src.model.backbone.vgg import Vgg
from src.model.neck.single import Single


def test_vgg16_ends_with_its_last_convolution():
    backbone = Vgg("vgg16", width=2, in_channels=3)
    whole = backbone(torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(0)))
    neck = Single(backbone=backbone)
    image = torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(0))
    (feature,) = neck(backbone(image)).values()
    assert feature.equal(whole[4])
    assert feature.shape == (1, 16, 3, 4)
    assert (neck.channels, neck.out_channels, neck.reductions, neck.levels) == (16, 16, [16], 1)
    assert (len(backbone.stages), backbone.reductions[-1]) == (5, 16)


def test_a_feature_that_is_not_there_is_named_with_those_that_are():
    build = partial(Single, reduction=64)
    with pytest.raises(ValueError, match=r"model\.neck\.reduction=64: .* ÷1, ÷2, ÷4, ÷8, ÷16, ÷32; take one of them"):
        build(backbone=Vgg("vgg16", width=2, in_channels=3))
