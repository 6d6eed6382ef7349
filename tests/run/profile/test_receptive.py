"""The receptive field, against what is known of networks and against the gradients of small ones."""

import pytest
import timm
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models

from src.model.upsample.bed_of_nails import BedOfNails
from src.run import cli
from src.run.build import plain
from src.run.profile import receptive
from src.run.profile.cost import built
from src.run.profile.receptive import WHOLE, field


def conv(kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1, channels: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, kernel, stride, padding, dilation)


@pytest.mark.parametrize("depth", [1, 2, 5, 12])
def test_each_convolution_of_three_adds_two(depth):
    assert field(nn.Sequential(*(conv(3, padding=1) for _ in range(depth))).to("meta"), 1) == [2 * depth + 1] * 2


def test_vgg16_and_resnets():
    with torch.device("meta"):
        vgg, resnet = models.vgg16().features, models.resnet18()
        fc6 = nn.Sequential(vgg, nn.Conv2d(512, 8, 7))
    assert field(vgg[:30], 3) == [196, 196]  # conv5_3 with its ReLU
    assert field(vgg, 3) == [212, 212]
    assert field(fc6, 3) == [404, 404]  # 212 + 6 · 32
    assert field(nn.Sequential(*list(resnet.children())[:-2]), 3) == [435, 435]
    assert field(resnet, 3) == WHOLE


def named(model: str, *words: str) -> nn.Module:
    return built(plain(cli.compose("profile", [f"model={model}", *words]))["model"], 5, 3)


def test_unet_loses_184_and_sees_188(monkeypatch):
    """Its four up-convolutions make a square of 16 pixels from one cell, of which the centre pixel is one."""
    network = named("unet_paper", "model.width=2")
    assert field(network, 3) == [188, 188]
    network.forward = network.valid
    monkeypatch.setattr(receptive, "SIDES", (572,))
    assert field(network, 3) == [188, 188]


@pytest.mark.parametrize(
    "layer",
    [
        nn.AdaptiveAvgPool2d(1),
        nn.GroupNorm(1, 1),
        nn.Sequential(nn.Flatten(2), nn.Linear(receptive.SIDES[0] ** 2, 1, device="meta"), nn.Unflatten(2, (1, 1))),
    ],
    ids=["pooled", "normalised", "flattened"],
)
def test_what_reaches_everything_is_the_whole_image(layer):
    assert field(layer.to("meta"), 1) == WHOLE


def test_attention_sees_the_whole_image():
    assert field(named("unet", "model/backbone=vit_small", "model/decoder=fcn32s", "model/head=identity"), 3) == WHOLE


def test_normalisation_over_channels_and_linear_layers_see_a_pixel():
    with torch.device("meta"):
        network = timm.create_model("convnext_atto", features_only=True, out_indices=[0])
    side = 4 + 2 * 6 * 4  # a stem of 4×4, and two 7×7 on its cells
    assert field(_First(network), 3) == [side, side]


class _First(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        return self.network(image)[0]


def test_unpooling_sees_what_the_pooling_saw():
    class Unpooled(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            pooled, places = F.max_pool2d(x, 2, return_indices=True)
            return F.max_unpool2d(F.avg_pool2d(pooled, 3, 1, 1), places, 2, output_size=x.shape[-2:])

    assert field(Unpooled(), 1) == [6, 6]
    assert field(nn.Sequential(Unpooled(), conv(3, padding=1)).to("meta"), 1) == [8, 8]


class _Lambda(nn.Module):
    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class _Nails(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.nails = BedOfNails(channels=1, scale=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.nails(x, (2 * x.shape[-2], 2 * x.shape[-1]))


def mirrored(x: Tensor) -> Tensor:
    index = torch.arange(x.shape[-1] + 8, device=x.device) - 4
    index = torch.minimum(index.abs(), 2 * (x.shape[-1] - 1) - index.abs())
    return x[..., index, :][..., index][..., 3:-5, 3:-5]


LINEAR = {  # without a maximum, so that gradients show all that is seen
    "strided": lambda: [conv(5, 2, 2), conv(3, 1, 1), nn.ConvTranspose2d(1, 1, 4, 2, 1)],
    "dilated": lambda: [conv(3, 1, 4, 4), conv(3, 3, 1), _Lambda(lambda x: F.interpolate(x, scale_factor=3))],
    "averaged": lambda: [nn.AvgPool2d(3, 2, 1), conv(3, padding=1), nn.Upsample(scale_factor=2, mode="bilinear")],
    "corners": lambda: [conv(2, 2), nn.Upsample(size=(64, 64), mode="bilinear", align_corners=True)],
    "odd": lambda: [conv(3, 3), nn.Upsample(scale_factor=3, mode="bilinear")],
    "gaps": lambda: [conv(4, 4), nn.ConvTranspose2d(1, 1, 3, 4, 0, 1), conv(3, padding=1)],
    "shuffled": lambda: [nn.Conv2d(1, 4, 5, 2, 2), nn.PixelShuffle(2), conv(3, padding=1)],
    "nails": lambda: [conv(2, 2), _Nails(), conv(3, padding=1)],
    "cut": lambda: [
        _Lambda(lambda x: torch.cat([F.pad(x, (2, -2, -1, 1)), x[..., :, :].clone()], 1)),
        nn.Conv2d(2, 1, 3, 1, 1),
    ],
    "beside": lambda: [_Lambda(lambda x: torch.cat([x[..., 20:], x[..., :20]], -1)), conv(3, padding=1)],
    "mirrored": lambda: [_Lambda(mirrored), conv(5, padding=2)],
    "reflected": lambda: [nn.ReflectionPad2d(3), nn.ReplicationPad2d((1, 2, 0, 3)), conv(5), nn.BatchNorm2d(1)],
    "transposed": lambda: [
        _Lambda(lambda x: x.permute(0, 2, 3, 1).transpose(1, 3).transpose(-1, -2)),
        nn.Conv2d(1, 1, (5, 3)),
    ],
    "asymmetric": lambda: [nn.Conv2d(1, 1, (1, 7), (1, 2), (0, 3)), nn.Upsample(scale_factor=(1, 2))],
    "normalised": lambda: [nn.LocalResponseNorm(3), conv(3, padding=1), nn.Softmax(1)],
}


@pytest.mark.parametrize("name", LINEAR)
def test_it_is_where_gradients_come_from(name, monkeypatch):
    side = 64
    monkeypatch.setattr(receptive, "SIDES", (side,))
    layers = [layer for layer in LINEAR[name]() if not isinstance(layer, nn.Softmax)]
    network = nn.Sequential(*layers).double().eval()
    for parameter in network.parameters():
        nn.init.uniform_(parameter, 0.5, 1.0)
    image = torch.rand(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    output = network(image)
    centre = output[..., output.shape[-2] // 2, output.shape[-1] // 2].sum()
    seen = torch.autograd.grad(centre, image)[0][0, 0] != 0
    spans = [places.nonzero().flatten() for places in (seen.any(1), seen.any(0))]
    assert field(nn.Sequential(*LINEAR[name]()).to("meta"), 1) == [int(span[-1] - span[0]) + 1 for span in spans]


def test_an_operation_without_a_rule_is_taken_to_reach_everything():
    assert field(_Lambda(lambda x: x.cumsum(-1)), 1) == WHOLE
    assert field(_Lambda(lambda x: x.cumsum(-1) + x), 1) == WHOLE


def test_what_no_pixel_reaches_is_no_field():
    assert field(_Lambda(torch.zeros_like), 1) == [0, 0]
