"""FCN-8s on VGG16 as published: its sizes, parameters, alignment and weights."""

import pytest
import torch
from torch import nn

from src.model.fcn8s import Fcn8s


def small(**options):
    torch.manual_seed(0)
    return Fcn8s(4, 8, dropout=0.0, in_channels=3, out_channels=2, **options).eval()


@pytest.mark.parametrize(("classes", "count"), [(21, 134_362_751), (60, 134_552_564)])
def test_the_number_of_parameters(classes, count):
    with torch.device("meta"):
        network = Fcn8s(in_channels=3, out_channels=classes)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


def test_500_cells_shrink_and_grow_as_published():
    sizes = []
    with torch.device("meta"):
        network = small()
        for layer in (network.backbone[0][0], *network.backbone, network.score_fc7):
            layer.register_forward_hook(lambda layer, inputs, output: sizes.append(output.shape[-1]))
        assert network(torch.zeros(1, 3, 500, 500)).shape == (1, 2, 500, 500)
    assert sizes == [698, 349, 175, 88, 44, 22, 16, 16]


def test_scores_start_at_zero():
    assert not small()(torch.rand(1, 3, 20, 30)).any()


@pytest.mark.parametrize("skip", ["score_pool3", "score_pool4", "score_fc7"])
def test_every_score_lies_where_the_image_has_it(skip):
    """Scores of local brightness, enlarged and cropped, are centred on a bright square, averaged over its places."""
    network = Fcn8s(1, 1, dropout=0.0, in_channels=3, out_channels=1).eval()
    for layer in network.backbone.modules():
        if isinstance(layer, nn.Conv2d):
            middle = layer.kernel_size[0] // 2
            nn.init.zeros_(layer.weight)
            layer.weight.data[:, 0, middle, middle] = 1
    nn.init.ones_(getattr(network, skip).weight)
    image, starts = torch.zeros(32, 3, 161, 161), torch.arange(32)  # every place relative to the coarsest cells
    for picture, start in zip(image, starts.tolist(), strict=True):
        picture[:, 48 + start : 80 + start, 48 + start : 80 + start] = 10
    with torch.no_grad():
        out = network(image)[:, 0]
    cells = torch.arange(161.0)
    for dim in (1, 2):
        centres = (out.sum(dim) @ cells) / out.sum((1, 2))
        assert (centres - (48 + starts + 15.5)).mean().abs() < 0.6


def classifier(width=4, fc=8):
    """A state as torchvision's VGG16 has it, narrow."""
    state, channels, index = {}, 3, 0
    for wide, depth in zip((1, 2, 4, 8, 8), (2, 2, 3, 3, 3), strict=True):
        for _ in range(depth):
            state[f"features.{index}.weight"] = torch.rand(wide * width, channels, 3, 3)
            state[f"features.{index}.bias"] = torch.rand(wide * width)
            channels, index = wide * width, index + 2
        index += 1
    for index, shape in ((0, (fc, channels * 49)), (3, (fc, fc)), (6, (1000, fc))):
        state[f"classifier.{index}.weight"] = torch.rand(shape)
        state[f"classifier.{index}.bias"] = torch.rand(shape[0])
    return state


def test_torchvisions_classifier_becomes_convolutions(tmp_path):
    state = classifier()
    torch.save(state, tmp_path / "vgg16.pth")
    network = small(weights=str(tmp_path / "vgg16.pth"))
    fc6, fc7 = (layer for layer in network.backbone[5] if isinstance(layer, nn.Conv2d))
    x = torch.rand(1, 32, 7, 7)
    torch.testing.assert_close(
        fc6(x).flatten(), x.flatten() @ state["classifier.0.weight"].T + state["classifier.0.bias"]
    )
    torch.testing.assert_close(fc7.weight[:, :, 0, 0], state["classifier.3.weight"])
    torch.testing.assert_close(network.backbone[4][4].weight, state["features.28.weight"])


def test_weights_of_another_width_are_refused(tmp_path):
    torch.save(classifier(width=2), tmp_path / "vgg16.pth")
    with pytest.raises(ValueError, match=r"vgg16.pth: \d+ tensors have another shape .* is \[2, 3, 3, 3\] instead of"):
        small(weights=str(tmp_path / "vgg16.pth"))
