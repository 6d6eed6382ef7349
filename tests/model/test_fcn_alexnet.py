"""FCN-AlexNet as published: its parameters, sizes and alignment."""

import pytest
import torch
from torch import nn

from src.model.fcn_alexnet import CROP, FcnAlexnet


def small():
    torch.manual_seed(0)
    return FcnAlexnet(6, 8, dropout=0.0, in_channels=3, out_channels=2).eval()


def test_the_number_of_parameters():
    with torch.device("meta"):
        network = FcnAlexnet(in_channels=3, out_channels=21)
    assert sum(parameter.numel() for parameter in network.parameters()) == 56_954_261


def test_its_layers_are_the_published_ones():
    with torch.device("meta"):
        layers = list(FcnAlexnet(in_channels=3, out_channels=21).backbone)
    convs = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    norms = [layer for layer in layers if isinstance(layer, nn.LocalResponseNorm)]
    assert [conv.out_channels for conv in convs] == [96, 256, 384, 384, 256, 4096, 4096]
    assert [conv.groups for conv in convs] == [1, 2, 1, 2, 2, 1, 1]
    assert [(norm.size, norm.alpha, norm.beta) for norm in norms] == [(5, 1e-4, 0.75)] * 2
    assert [type(layers[index - 1]) for index, layer in enumerate(layers) if layer in norms] == [nn.MaxPool2d] * 2


def test_the_crop_aligns_centres():
    """Follow the place of cell 0 in the image, in the image's pixels."""
    place, stride = 5 - 100.0, 4  # conv1 of 11 cells, padding 100
    for _ in range(3):  # pools of 3 cells
        place, stride = place + stride, 2 * stride
    place += 2.5 * stride  # fc6 of 6 cells
    assert (place, stride) == (13.0, 32)
    assert (63 - 1) / 2 - place == CROP == 18


def test_the_score_lies_where_the_image_has_it():
    network = FcnAlexnet(2, 1, dropout=0.0, in_channels=3, out_channels=1).eval()
    for layer in network.backbone.modules():
        if isinstance(layer, nn.Conv2d):
            middle = (layer.kernel_size[0] - 1) // 2
            nn.init.zeros_(layer.weight)
            even = layer.kernel_size[0] == 6  # the middle lies between four cells
            layer.weight.data[:, 0, middle : middle + 1 + even, middle : middle + 1 + even] = 1
    nn.init.ones_(network.score.weight)
    image, starts = torch.zeros(32, 3, 161, 161), torch.arange(32)
    for picture, start in zip(image, starts.tolist(), strict=True):
        picture[:, 48 + start : 80 + start, 48 + start : 80 + start] = 10
    with torch.no_grad():
        out = network(image)[:, 0]
    cells = torch.arange(161.0)
    for dim in (1, 2):
        centres = (out.sum(dim) @ cells) / out.sum((1, 2))
        assert (centres - (48 + starts + 15.5)).mean().abs() < 1


def test_every_size_is_covered():
    with torch.device("meta"):
        network = small()
        for side in range(1, 140):
            assert network(torch.zeros(1, 3, side, 1)).shape == (1, 2, side, 1)


def test_an_odd_width_is_refused():
    with pytest.raises(ValueError, match=r"model.width=5: .* an even number"):
        FcnAlexnet(5, 8, in_channels=3, out_channels=2)
