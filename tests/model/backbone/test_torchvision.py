"""torchvision's classifiers as backbones: the features are the classifier's own, and mistakes are named."""

from itertools import cycle, product

import pytest
import torch
from torchvision import models

from src.model.backbone.torchvision import Torchvision
from src.model.norm.group import Group

NAMES = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "resnext101_32x8d"]
NAMES += ["wide_resnet50_2", "wide_resnet101_2"]


def test_a_resnets_features_are_its_stages():
    backbone = Torchvision("resnet18", in_channels=3)
    assert (backbone.channels, backbone.reductions) == ([64, 64, 128, 256, 512], [2, 4, 8, 16, 32])


def test_the_deepest_feature_is_what_the_classifier_pools(tmp_path):
    network = models.resnet18().eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    backbone = Torchvision("resnet18", weights=str(tmp_path / "weights.pth"), in_channels=3).eval()
    image = torch.rand(1, 3, 40, 72)
    with torch.no_grad():
        scores = network.fc(backbone(image)[-1].mean(dim=(2, 3)))
        torch.testing.assert_close(scores, network(backbone.normalize(image)))


@pytest.mark.parametrize(
    ("name", "in_channels"),
    [*product(["resnet18", "mobilenet_v3_large"], [1, 3, 4, 6]), *zip(NAMES[1:], cycle([1, 3, 4, 6]), strict=False)],
)
def test_torchvisions_tensors_fit_one_by_one_whatever_the_channels(name, in_channels, monkeypatch):
    with torch.device("meta"):
        state = models.get_model(name).state_dict()
        monkeypatch.setattr("src.model.backbone.weights.read", lambda path: state)
        backbone = Torchvision(name, "file", in_channels=in_channels)
        features = backbone(torch.zeros(1, in_channels, 33, 50))
    kept = [value.shape for key, value in state.items() if not key.startswith(("fc.", "classifier."))]
    ours = [value.shape for value in backbone.state_dict().values()]
    assert ours[1:] == kept[1:]
    assert ours[0][1] == in_channels
    assert [f.shape[1] for f in features] == backbone.channels
    assert [f.shape[2:] for f in features] == [(17, 25), (9, 13), (5, 7), (3, 4), (2, 2)]


def test_a_norm_takes_the_place_of_batch_normalisation():
    kinds = {type(layer).__name__ for layer in Torchvision("resnet18", norm=Group, in_channels=3).modules()}
    assert "Group" in kinds
    assert "BatchNorm2d" not in kinds


def test_building_one_leaves_it_in_training_with_untouched_statistics():
    backbone = Torchvision("resnet18", in_channels=3)
    assert all(layer.training for layer in backbone.modules())
    assert not backbone.state_dict()["stages.0.1.running_mean"].any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "resnet19"}, "resnet19 is no classifier of torchvision; the nearest is resnet18"),
        ({"name": "squeezenet1_1"}, "take timm's, such as model/backbone=convnext_tiny"),
        ({"name": "vgg11_bn"}, "vgg11_bn pools, .* say model/backbone=vgg11_bn"),
        ({"name": "alexnet"}, "say model/backbone=alexnet_torchvision"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Torchvision(**options, in_channels=3)
