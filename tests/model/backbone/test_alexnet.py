"""AlexNet: the paper's numbers, torchvision's variant and its weights, and pools that overlap."""

import pytest
import torch
from torchvision import models

from src.model.backbone.alexnet import PUBLIC, AlexNet

SMALL = {"widths": (4, 6, 8, 8, 6)}


def test_the_convolutions_have_as_many_parameters_as_published():
    with torch.device("meta"):
        backbone = AlexNet(in_channels=3)
    counts = [sum(p.numel() for p in conv.parameters()) for conv in backbone.modules() if hasattr(conv, "groups")]
    assert counts == [34_944, 307_456, 885_120, 663_936, 442_624]
    assert (backbone.channels, backbone.reductions) == ([96, 256, 256, 256], [4, 8, 16, 32])


def test_responses_are_normalised_over_five_channels_as_caffe_divides():
    norm = AlexNet(**SMALL, in_channels=3).stages[0][1][1]
    x = torch.rand(1, 7, 1, 1) * 100
    expected = x[0, 3] / (1 + 1e-4 / 5 * x[0, 1:6].square().sum()) ** 0.75
    torch.testing.assert_close(norm(x)[0, 3], expected)


def test_torchvisions_weights_give_its_features_but_for_paddings(tmp_path):
    with torch.device("meta"):
        theirs = models.alexnet().features
    theirs = theirs.to_empty(device="cpu").eval()
    for layer in theirs:
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    torch.save({f"features.{key}": value for key, value in theirs.state_dict().items()}, tmp_path / "alexnet.pth")
    ours = AlexNet(PUBLIC, 1, False, str(tmp_path / "alexnet.pth"), in_channels=3).eval()
    theirs[0].padding = (5, 5)
    for layer in theirs:
        if isinstance(layer, torch.nn.MaxPool2d):
            layer.padding = 1
    image = torch.rand(1, 3, 70, 90)
    with torch.no_grad():
        torch.testing.assert_close(ours(image)[-1], theirs(ours.normalize(image)))


@pytest.mark.parametrize("in_channels", [1, 4, 6])
def test_weights_over_rgb_serve_other_channels(in_channels, monkeypatch):
    with torch.device("meta"):
        state = models.alexnet().state_dict()
        monkeypatch.setattr("src.model.backbone.weights.read", lambda path: state)
        backbone = AlexNet(PUBLIC, 1, False, "file", in_channels=in_channels)
    assert backbone.stages[0][0].in_channels == in_channels


@pytest.mark.parametrize("size", [(1, 1), (31, 33), (64, 70)])
def test_sizes_round_up_and_pools_name_the_places_of_the_maxima(size):
    backbone, image = AlexNet(**SMALL, in_channels=2).eval(), torch.rand(2, 2, *size)
    features, pools = backbone.pooled(image)
    for ours, plain, reduction in zip(features, backbone(image), backbone.reductions, strict=True):
        assert torch.equal(ours, plain)
        assert ours.shape[2:] == (-(-size[0] // reduction), -(-size[1] // reduction))
    assert {before: pool.size for before, pool in pools.items()} == {
        r: tuple(f.shape[2:]) for r, f in zip([4, 8, 16], features, strict=False)
    }
    maxima = features[2].flatten(2).gather(2, pools[16].indices.flatten(2))
    assert torch.equal(maxima.view_as(features[3]), features[3])


def test_the_first_cell_lies_at_the_images_top_left():
    backbone = AlexNet(**SMALL, in_channels=1).eval()
    image = torch.zeros(1, 1, 65, 65, requires_grad=True)
    backbone(image)[0][0, :, 3, 5].sum().backward()
    rows, columns = image.grad[0, 0].nonzero().unbind(1)
    assert [rows.min(), rows.max(), columns.min(), columns.max()] == [12 - 5, 12 + 5, 20 - 5, 20 + 5]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": "default"}, "none for AlexNet as published; take model/backbone=alexnet_torchvision"),
        ({"weights": "default", "widths": PUBLIC}, "take model/backbone=alexnet_torchvision"),
        ({"widths": (96, 256, 384, 384)}, r"widths=\[96, 256, 384, 384\]: AlexNet has five convolutions"),
        ({"groups": 5}, "each of channels that model.backbone.groups=5 divides"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        AlexNet(**options, in_channels=3)
