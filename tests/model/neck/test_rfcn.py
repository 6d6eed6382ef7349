"""Proposals see a ResNet's fourth stage, regions its fifth."""

import pytest
import torch

from src.model.backbone.torchvision import Torchvision
from src.model.backbone.vgg import Vgg
from src.model.neck.rfcn import Rfcn


def test_the_published_network_gives_two_maps_of_a_sixteenth():
    with torch.device("meta"):
        backbone = Torchvision("resnet101", output_stride=16, in_channels=3)
        neck = Rfcn(backbone=backbone)
        maps = neck(backbone(torch.zeros(1, 3, 100, 150)))
    assert {name: tuple(one.shape) for name, one in maps.items()} == {
        "proposals": (1, 1024, 7, 10),
        "regions": (1, 2048, 7, 10),
    }
    assert (neck.channels, neck.out_channels, neck.reductions, neck.levels) == (1024, 2048, [16], 1)
    assert (list(backbone.channels), list(backbone.reductions)) == ([64, 256, 512, 1024], [2, 4, 8, 16])


def test_the_stage_that_is_taken_off_is_the_backbones_last():
    torch.manual_seed(0)
    backbone = Torchvision("resnet18", output_stride=8, in_channels=3).eval()
    image = torch.rand(1, 3, 40, 48)
    whole = backbone(image)[-1]
    neck = Rfcn(backbone=backbone).eval()
    features = backbone(image)
    assert [one.shape[1] for one in features] == list(backbone.channels) == [64, 64, 256]
    maps = neck(features)
    torch.testing.assert_close(maps["regions"], whole)
    assert maps["proposals"] is features[-1]


@pytest.mark.parametrize("kind", [Torchvision, Vgg])
def test_a_backbone_whose_last_stage_shrinks_its_map_is_refused(kind):
    with torch.device("meta"):
        backbone = kind(in_channels=3)
    with pytest.raises(ValueError, match=r"model/neck=rfcn .* gives ÷.* at model\.backbone\.output_stride=16 or 8"):
        Rfcn(backbone=backbone)
