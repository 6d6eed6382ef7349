"""Combinations of parts that cannot work: refused from the config alone, in words that name what would."""

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from src.run import plugins
from src.run.combination import check
from src.run.device import resolved


def composed(*overrides: str) -> dict:
    plugins.register()
    with initialize_config_dir(str(plugins.CONF), version_base="1.3"):
        config = OmegaConf.to_container(compose("train", list(overrides)), resolve=True)
    return config | {"trainer": resolved(config["trainer"])}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["model/upsample=max_unpool"],
            "resnet18 has none that can be undone: take model/backbone=vgg16, alexnet or p",
        ),
        (["model=segnet", "model/backbone=convnext_tiny"], "convnext_tiny has none that can be undone"),
        (["model=encoder_decoder", "model/backbone=vit_small"], "one size only, .* needs a pyramid: .*fcn32s"),
        (["model=encoder_decoder", "model/head=identity"], "this decoder gives no scores: take model/head=conv"),
        (["model=segnet_basic", "model/head=identity"], "this decoder gives no scores"),
        (["loss=weighted_cross_entropy", "loss.weights=segnet"], "weights=segnet are CamVid's: .*=median_frequency"),
        (["model/backbone=resnet50", "data.batch_size=1", "data.resolution=[32,32]"], "shrunk it by 32"),
        (["model=segnet", "data.batch_size=1", "data.resolution=[16,16]"], "shrunk it by 16"),
        (["model=sliding_window", "transform=patch", "transform.patch=31"], "patch=31, but model.patch=33"),
        (["transform=patch"], "one pixel in each patch, for model=sliding_window"),
        (
            ["model/backbone=resnet50", "model.backbone.output_stride=8", "data.batch_size=1", "data.resolution=[8,8]"],
            "shrunk it by 8",
        ),
    ],
)
def test_what_cannot_work_is_refused(overrides, message):
    with pytest.raises(ValueError, match=message):
        check(composed(*overrides))


@pytest.mark.parametrize(
    "overrides",
    [
        ["model=segnet", "data.batch_size=1", "data.resolution=[32,32]"],
        ["model/backbone=vgg16", "model/upsample=max_unpool", "data.batch_size=1", "data.resolution=[16,16]"],
        ["model=segnet", "model/backbone=resnet18", "model/upsample=bilinear"],
        ["model=encoder_decoder", "model/backbone=alexnet", "model/upsample=max_unpool"],
        ["loss=weighted_cross_entropy", "loss.weights=segnet", "data=camvid", "data.root=anywhere"],
    ],
)
def test_what_can_is_not(overrides):
    check(composed(*overrides))
