"""timm's networks as backbones: published facts, files of weights, and mistakes."""

import pytest
import timm
import torch

from src.model.backbone.timm import Timm

NAME = "test_resnet"  # timm's own tiny one


def test_channels_and_reductions_are_timms():
    backbone = Timm(NAME, in_channels=3).eval()
    assert [f.shape[1] for f in backbone(torch.rand(1, 3, 32, 32))] == backbone.channels
    assert backbone.reductions == [2, 4, 8, 16, 32]


def test_an_image_that_patches_do_not_divide_is_extended_and_cut_again():
    backbone = Timm("test_vit", options={"dynamic_img_size": True}, in_channels=3).eval()
    features = backbone(torch.rand(1, 3, 17, 50))
    assert {f.shape[2:] for f in features} == {(-(-17 // backbone.reductions[0]), -(-50 // backbone.reductions[0]))}


def test_an_output_stride_is_passed_on_and_leaves_the_deepest_feature_of_each_size():
    with torch.device("meta"):
        backbone = Timm("resnet18", options={"output_stride": 8}, in_channels=3)
        features = backbone(torch.zeros(1, 3, 33, 50))
    assert (backbone.channels, backbone.reductions) == ([64, 64, 512], [2, 4, 8])
    assert [f.shape[1:] for f in features] == [(64, 17, 25), (64, 9, 13), (512, 5, 7)]


@pytest.mark.parametrize("name", [NAME, "test_vit"])
def test_a_file_of_the_whole_network_fits(name, tmp_path):
    options = {"dynamic_img_size": True} if name == "test_vit" else {}
    torch.manual_seed(0)
    whole = timm.create_model(name, **options).eval()
    torch.save(whole.state_dict(), tmp_path / "weights.pth")
    torch.manual_seed(1)
    backbone = Timm(name, weights=str(tmp_path / "weights.pth"), options=options, in_channels=3).eval()
    image = torch.rand(1, 3, 160, 160)
    ours, theirs = backbone(image)[-1], whole.forward_intermediates(backbone.normalize(image))[1][-1]
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "efficientnet_b99"}, "efficientnet_b99 is no network of timm; the nearest is efficientnet_b"),
        ({"name": NAME, "options": {"colour": 1}}, "timm cannot build it as a backbone: .*colour"),
        ({"name": "test_vit", "options": {"output_stride": 8}}, "timm cannot build it as a backbone: .*output_stride"),
    ],
)
def test_mistakes_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        Timm(**options, in_channels=3)


def test_without_a_network_one_sentence_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ValueError, match=r"weights=default: .*resnet18.* cannot be fetched .* pass weights=PATH"):
        Timm("resnet18", weights="default", in_channels=3)
