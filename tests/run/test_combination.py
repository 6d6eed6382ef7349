"""Combinations of parts that cannot work: refused from the config alone, in words that name what would."""

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from src.run import plugins
from src.run.combination import check
from src.run.device import resolved

SHARDED = ["trainer=fsdp", "trainer.accelerator=cpu", "trainer.devices=2", "trainer.precision=32-true"]


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
        (["task=keypoint", "data=coco", "data.root=x"], "instances has none: say data.annotations=person_keypoints"),
        (["task=instance", "data=lspet", "data.root=x"], "model=mask_rcnn learns masks, .*model=faster_rcnn for boxes"),
        (["task=keypoint", "data=lspet", "data.root=x", "model.masks=true"], "lspet has none: take model.masks=false"),
        (["task=keypoint", "data=lspet", "data.root=x", "transform=copy_paste"], "by their masks, .*=instance"),
        (["task=instance", "model.rpn.foreground=0.2"], r"rpn.foreground=0.2 is below .*say model.rpn.background=0.2"),
        (["task=instance", "model.box.background=0.6"], r"box.foreground=0.5 is below model.box.background=0.6"),
        (["task=instance", "model.rpn.ratios=[]"], r"say \[0.5,1.0,2.0\]"),
        (["transform=copy_paste"], "pastes objects, which this task has not: take transform=strong"),
        (
            ["model/backbone=resnet50", "model.backbone.output_stride=8", "data.batch_size=1", "data.resolution=[8,8]"],
            "shrunk it by 8",
        ),
        (
            ["task=normals", "loss=dice"],
            "loss=dice is for task=semantic, and this is task=normals: take loss=angle, angmf",
        ),
        (
            ["task=normals", "loss=cross_entropy_dice"],
            r"loss\.losses\.cross_entropy=cross_entropy is for task=semantic",
        ),
        (["loss=silog"], "loss=silog is for task=depth, and this is task=semantic: take loss=binary_cross_entropy, "),
        (["task=regression", "loss=silog"], "task=regression: take loss=berhu, .* l1"),
        (["task=depth", "task.measure=metres"], "silog compares logs of depths, .* take loss=berhu, .*l1"),
        (["task=normals", "model=mask_rcnn"], "model=mask_rcnn finds objects, and this task wants a map"),
        (["task=joint", "loss@loss.normals=silog"], r"loss\.normals=silog is for .*: take loss@loss\.normals=angle, "),
        ([*SHARDED, "trainer.devices=1"], r"there is one: say trainer\.devices=2 or more"),
        ([*SHARDED, "trainer.devices=auto"], "there is one"),
        ([*SHARDED, "callback=[default,ema]"], "trainer=fsdp with callback.ema: the average is a whole second model"),
        ([*SHARDED, "optimizer=sgd"], r"the fused kernel of SGD takes no .*say optimizer\.fused=false"),
        (
            ["trainer=fsdp", "trainer.accelerator=gpu", "trainer.devices=2", "trainer.precision=16-mixed"],
            "trainer.precision=16-mixed with trainer=fsdp: take bf16-mixed",
        ),
        (
            ["trainer=ddp", "trainer.devices=2", "trainer.num_nodes=3", "data.batch_size=8"],
            r"does not divide over trainer\.devices=2 on trainer\.num_nodes=3: take 6",
        ),
        (["task=joint", "loss=dice"], "loss=dice is for task=semantic, and this is task=joint: take loss=joint"),
    ],
)
def test_what_cannot_work_is_refused(overrides, message):
    with pytest.raises(ValueError, match=message):
        check(composed(*overrides))


@pytest.mark.parametrize(
    "overrides",
    [
        SHARDED,
        [*SHARDED, "optimizer=sgd", "optimizer.fused=false", "trainer.devices=1", "trainer.num_nodes=2"],
        ["model=segnet", "data.batch_size=1", "data.resolution=[32,32]"],
        ["model/backbone=vgg16", "model/upsample=max_unpool", "data.batch_size=1", "data.resolution=[16,16]"],
        ["model=segnet", "model/backbone=resnet18", "model/upsample=bilinear"],
        ["model=encoder_decoder", "model/backbone=alexnet", "model/upsample=max_unpool"],
        ["loss=weighted_cross_entropy", "loss.weights=segnet", "data=camvid", "data.root=anywhere"],
        ["task=keypoint", "data=coco", "data.root=x", "data.annotations=person_keypoints", "transform=copy_paste"],
        ["task=keypoint", "data=coco", "data.root=x", "data.file=mine.json", "data.images=all"],
        ["task=keypoint", "data=lspet", "data.root=x"],
        ["task=instance", "model=faster_rcnn", "data=lspet", "data.root=x"],
    ],
)
def test_what_can_is_not(overrides):
    check(composed(*overrides))
