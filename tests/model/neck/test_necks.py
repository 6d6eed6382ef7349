"""Every backbone fits a neck, or is refused with a sentence that says what would, and that does."""

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch import nn

from src.model.backbone.plain import Plain
from src.model.neck.c4 import C4
from src.run.plugins import CONF

LARGER = {
    "resnet101",
    "resnet152",
    "resnext101",
    "wide_resnet50",
    "wide_resnet101",
    "vgg13",
    "vgg13_bn",
    "vgg19",
    "vgg19_bn",
}
FILES = {file.stem for file in (CONF / "model" / "backbone").glob("*.yaml")}
BACKBONES = sorted(FILES - LARGER)  # one at least of each family
SHORT = {
    "plain": 4,
    "segnet_basic": 4,
    "resnet50_stride16": 4,
    "resnet50_stride8": 3,
}  # levels, with the proposals' own
SINGLE = {"vit_small", "plain", "segnet_basic", "resnet50_stride16"}  # that end at ÷16


def parts(backbone: str, neck: str, *words: str) -> tuple[nn.Module, nn.Module]:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(overrides=[f"+model/backbone={backbone}", f"+model/neck={neck}", *words])
    built = instantiate(config.model, _convert_="all")
    with torch.device("meta"):
        body = built["backbone"](in_channels=3)
        return body, built["neck"](backbone=body)


def fits(body: nn.Module, neck: nn.Module) -> list[tuple[int, ...]]:
    """Shapes of the levels, which are those that the neck publishes."""
    with torch.device("meta"):
        levels = neck(body(torch.zeros(1, 3, 128, 192)))
    assert len(levels) == neck.levels
    for level, reduction in zip(levels.values(), neck.reductions, strict=False):
        assert level.shape == (1, neck.channels, 128 // reduction, 192 // reduction)
    return [tuple(level.shape) for level in levels.values()]


@pytest.mark.parametrize("name", BACKBONES)
def test_a_pyramid_gives_a_level_for_each_of_its_features_and_one_more(name):
    if name == "vit_small":
        with pytest.raises(ValueError, match=r"this backbone gives ÷16, ÷16, ÷16: take .* or model/neck=dc5"):
            parts(name, "fpn")
        fits(*parts(name, "dc5"))
        return
    body, neck = parts(name, "fpn")
    shapes = fits(body, neck)
    assert len(shapes) == SHORT.get(name, 5)
    assert neck.channels == 256
    assert shapes[-1][-1] == -(-shapes[-2][-1] // 2)


@pytest.mark.parametrize("name", BACKBONES)
def test_the_deepest_feature_is_read_at_a_sixteenth(name):
    if name in SINGLE:
        fits(*parts(name, "dc5"))
        return
    with pytest.raises(ValueError, match=r"model/neck=dc5 reads .* say model\.backbone\.output_stride=16"):
        parts(name, "dc5")


@pytest.mark.parametrize("name", ["resnet18", "vgg16_bn", "mobilenet_v3"])
def test_a_backbone_that_is_told_to_end_at_a_sixteenth_fits(name):
    shapes = fits(*parts(name, "dc5", "model.backbone.output_stride=16"))
    assert shapes == [(1, 256, 8, 12)]


@pytest.mark.parametrize("name", BACKBONES)
def test_the_stage_beyond_a_sixteenth_leaves_the_backbone_or_there_is_none(name):
    if not name.startswith(("resnet", "resnext", "wide", "mobilenet")) or "stride" in name:
        with pytest.raises(ValueError, match=r"the ÷16 feature .* has no such stage: take .* model/backbone=resnet18"):
            parts(name, "c4")
        return
    body, neck = parts(name, "c4")
    assert (neck.stride, body.reductions[-1]) == (2, 16)
    fits(body, neck)
    with torch.device("meta"):
        assert neck.stage(torch.zeros(5, neck.channels, 14, 14)).shape == (5, neck.out_channels, 7, 7)


def test_the_stage_sees_a_region_as_the_backbone_would_have_seen_the_image():
    torch.manual_seed(0)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(overrides=["+model/backbone=resnet18_groupnorm"])
    body = instantiate(config.model.backbone, _convert_="all")(in_channels=3)
    image = torch.rand(1, 3, 64, 64)
    whole = body(image)[-1]
    neck = C4(backbone=body)
    assert neck.stage(neck(body(image))["0"]).equal(whole)


def test_a_last_pooling_that_nothing_follows_is_left_out():
    body = Plain((4, 4, 4, 4, 8, 12), in_channels=3).eval()
    image = torch.rand(1, 3, 64, 64)
    fifth = body(image)[5]
    neck = C4(backbone=body)
    assert (neck.stride, neck.channels, neck.out_channels, body.reductions[-1]) == (2, 8, 12, 16)
    assert neck.stage(neck(body(image))["0"]).equal(fifth)


def test_regions_are_cut_from_the_feature_that_is_named():
    body = Plain((4, 4, 6, 8, 12), in_channels=3).eval()
    image = torch.rand(1, 3, 64, 64)
    fifth = body(image)[4]
    neck = C4(8, backbone=body)
    assert (neck.reductions, neck.stride, neck.channels, neck.out_channels) == ([8], 2, 8, 12)
    assert neck.stage(neck(body(image))["0"]).equal(fifth)
    with pytest.raises(ValueError, match=r"the ÷16 feature .* another model\.neck\.reduction"):
        C4(16, backbone=Plain((4, 4, 6, 8, 12), in_channels=3))
