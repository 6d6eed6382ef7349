"""VGG with its pools: torchvision's features and weights, what was pooled where, and dilation in place of pooling."""

import pytest
import torch
from torchvision import models

from src.model.backbone.vgg import DEPTHS, Vgg
from src.model.norm.group import Group

NAMES = [name + norm for name in DEPTHS for norm in ("", "_bn")]


def torchvisions(name: str) -> torch.nn.Sequential:
    """Its features with weights, its 120 million classifier weights without."""
    with torch.device("meta"):
        network = models.get_model(name).features
    network = network.to_empty(device="cpu")
    for layer in network:
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    return network.eval()


@pytest.mark.parametrize("name", NAMES)
def test_the_layers_are_torchvisions_one_by_one(name):
    with torch.device("meta"):
        ours, theirs = Vgg(name, in_channels=3), models.get_model(name).features
    assert [v.shape for v in ours.state_dict().values()] == [v.shape for v in theirs.state_dict().values()]
    kinds = [type(layer) for stage in ours.stages for layer in stage]
    assert kinds == [type(layer) for layer in theirs]
    assert (ours.channels, ours.reductions) == ([64, 128, 256, 512, 512, 512], [1, 2, 4, 8, 16, 32])


@pytest.mark.parametrize("name", ["vgg11", "vgg11_bn"])
def test_torchvisions_weights_give_torchvisions_features(name, tmp_path):
    theirs = torchvisions(name)
    state = {f"features.{key}": value for key, value in theirs.state_dict().items()}
    torch.save(state | {"classifier.0.weight": torch.zeros(1)}, tmp_path / "weights.pth")
    ours, image = Vgg(name, str(tmp_path / "weights.pth"), in_channels=3).eval(), torch.rand(1, 3, 32, 64)
    with torch.no_grad():
        expected = theirs(ours.normalize(image))
        torch.testing.assert_close(ours(image)[-1], expected)
    assert expected.any()


@pytest.mark.parametrize("in_channels", [1, 4, 6])
def test_weights_over_rgb_serve_other_channels(in_channels, monkeypatch):
    with torch.device("meta"):
        state = models.vgg16_bn().state_dict()
        monkeypatch.setattr("src.model.backbone.weights.read", lambda path: state)
        assert Vgg("vgg16_bn", "file", in_channels=in_channels).stages[0][0].in_channels == in_channels


def test_a_file_for_another_width_is_refused(monkeypatch):
    with torch.device("meta"):
        state = models.vgg11().state_dict()
        monkeypatch.setattr("src.model.backbone.weights.read", lambda path: state)
        with pytest.raises(
            ValueError, match=r"another shape .* features.0.weight is \[64, 3, 3, 3\] instead of \[8, 3"
        ):
            Vgg("vgg11", "file", width=8, in_channels=3)


def test_pools_round_up_and_name_the_places_of_the_maxima():
    backbone, image = Vgg("vgg11_bn", width=2, in_channels=3).eval(), torch.rand(2, 3, 23, 40)
    features, pools = backbone.pooled(image)
    for ours, plain in zip(features, backbone(image), strict=True):
        assert torch.equal(ours, plain)
    assert {before: pool.size for before, pool in pools.items()} == {
        1: (23, 40), 2: (12, 20), 4: (6, 10), 8: (3, 5), 16: (2, 3)
    }  # fmt: skip
    maxima = features[4].flatten(2).gather(2, pools[16].indices.flatten(2))
    assert torch.equal(maxima.view_as(features[5]), features[5])


@pytest.mark.parametrize(("output_stride", "step"), [(16, 2), (8, 4)])
def test_dilation_keeps_every_cell_and_adds_those_between(output_stride, step):
    torch.manual_seed(0)
    pooling = Vgg("vgg11_bn", width=2, in_channels=3).eval()
    dense = Vgg("vgg11_bn", width=2, output_stride=output_stride, in_channels=3).eval()
    dense.load_state_dict(dict(zip(dense.state_dict(), pooling.state_dict().values(), strict=True)))
    image = torch.rand(1, 3, 75, 100)
    features, pools = dense.pooled(image)
    torch.testing.assert_close(features[-1][..., ::step, ::step], pooling(image)[-1])
    assert dense.reductions == [1, 2, 4, 8, 16][: len(pools) + 1]
    assert [f.shape[1] for f in features] == dense.channels
    assert features[-1].shape[2:] == (-(-75 // output_stride), -(-100 // output_stride))


def test_a_norm_takes_the_place_of_batch_normalisation():
    kinds = [type(layer).__name__ for layer in Vgg("vgg11_bn", width=16, norm=Group, in_channels=3).modules()]
    assert kinds.count("Group") == 8
    assert "BatchNorm2d" not in kinds


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "vgg12"}, "name=vgg12 is no VGG: there are vgg11, vgg13, vgg16, vgg19, and each with _bn"),
        ({"name": "vgg11", "norm": Group}, "vgg11 has no normalisation to replace; take model/backbone=vgg11_bn"),
        ({"output_stride": 4}, "output_stride=4 is none of 8, 16 and 32"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Vgg(**options, in_channels=3)
