"""Dilation in place of strides: torchvision's own, and the rule that it adds cells and changes none."""

import pytest
import torch
from torch import nn
from torchvision import models

from src.model.backbone.dilation import DensePool
from src.model.backbone.torchvision import Torchvision


def dense(name: str, output_stride: int, like: nn.Module) -> Torchvision:
    backbone = Torchvision(name, output_stride=output_stride, in_channels=3).eval()
    backbone.load_state_dict(dict(zip(backbone.state_dict(), like.state_dict().values(), strict=True)))
    return backbone


def test_a_resnet50_is_torchvisions_dilated_one(tmp_path):
    network = models.resnet50(replace_stride_with_dilation=[False, True, True]).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    ours = Torchvision("resnet50", str(tmp_path / "weights.pth"), output_stride=8, in_channels=3).eval()
    assert (ours.channels, ours.reductions) == ([64, 256, 2048], [2, 4, 8])
    image = torch.rand(1, 3, 50, 70)
    with torch.no_grad():
        x = ours.normalize(image)
        for name, layer in network.named_children():
            x = layer(x) if name not in ("avgpool", "fc") else x
        assert torch.equal(ours(image)[-1], x)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
@pytest.mark.parametrize(("output_stride", "step"), [(16, 2), (8, 4)])
def test_every_cell_keeps_its_value_and_new_ones_stand_between(name, output_stride, step):
    torch.manual_seed(0)
    strided = Torchvision(name, in_channels=3).eval()
    dilated = dense(name, output_stride, strided)
    image = torch.rand(1, 3, 75, 130)
    with torch.no_grad():
        features = dilated(image)
        torch.testing.assert_close(features[-1][..., ::step, ::step], strided(image)[-1])
    assert [f.shape[1] for f in features] == list(dilated.channels)
    assert [f.shape[2:] for f in features] == [(-(-75 // r), -(-130 // r)) for r in dilated.reductions]


@pytest.mark.parametrize("name", ["efficientnet_b0", "mobilenet_v3_large", "resnext50_32x4d", "wide_resnet50_2"])
def test_every_family_can_be_dilated(name):
    with torch.device("meta"):
        backbone = Torchvision(name, output_stride=8, in_channels=3)
        sizes = [f.shape[2:] for f in backbone(torch.zeros(1, 3, 65, 65))]
    assert backbone.reductions == [2, 4, 8]
    assert sizes == [(33, 33), (17, 17), (9, 9)]


def test_a_dense_pool_holds_the_pool_of_every_second_cell():
    x = torch.randn(1, 1, 5, 7)
    pooled = nn.functional.max_pool2d(x, 2, ceil_mode=True)
    assert torch.equal(DensePool(1)(x)[..., ::2, ::2], pooled)
    apart = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert torch.equal(DensePool(2)(apart)[..., ::4, ::4], pooled)


def test_another_stride_is_refused():
    with pytest.raises(ValueError, match="output_stride=4 is none of 8, 16 and 32"):
        Torchvision("resnet18", output_stride=4, in_channels=3)
