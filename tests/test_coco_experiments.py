"""The recipes of experiments/coco*.yaml, row by row, two steps each on a few real images that are shrunk for a CPU."""

import json

import pytest
import torch
from torchvision import models
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

from src.run import checkpoint

FEW = ["model.rpn.before_nms=[40,20]", "model.rpn.after_nms=[20,10]", "model.box.samples=16", "model.box.detections=10"]
SMALL = ["model.min_size=64", "model.max_size=128", "data.batch_size=2"]
STEPS = ["trainer.max_steps=-1", "trainer.limit_train_batches=2", "trainer.limit_val_batches=1"]


@pytest.fixture
def train(run, shared, tmp_path):
    """Two steps of an experiment from weights in a file, as those on ImageNet would be; its results and weights."""

    def trained(experiment, backbone, *overrides):
        # Statistics that are frozen at nothing tame nothing: blocks begin as the identity instead.
        network = models.get_model(backbone, zero_init_residual=True)
        torch.save(network.state_dict(), tmp_path / "backbone.pt")
        words = ["data=coco", f"experiments={experiment}", f"data.root={shared / 'coco-mini'}"]
        words += [f"model.backbone.name={backbone}", f"model.backbone.weights={tmp_path / 'backbone.pt'}"]
        path = run(*words, *SMALL, *FEW, *STEPS, *overrides)
        results = json.loads((path / "results.json").read_text())
        weights = checkpoint.load(path / "checkpoints" / "last.ckpt")["state_dict"]
        assert (results["status"], results["epochs"]) == ("finished", 1)
        moved = (weights["model.backbone.stages.0.0.weight"] - network.conv1.weight).abs().max()
        assert 0 < moved < 0.1, "the file's weights were not taken, or not trained"
        return results, weights

    return trained


def theirs(backbone):
    """How many parameters torchvision's Mask R-CNN with FPN has for COCO's 80 classes."""
    with torch.device("meta"):
        body = resnet_fpn_backbone(backbone_name=backbone, weights=None, trainable_layers=5)
        return sum(parameter.numel() for parameter in MaskRCNN(body, 81).parameters())


@pytest.mark.long
@pytest.mark.parametrize(
    ("backbone", "overrides"), [("resnet101", []), ("resnext101_64x4d", ["model=mask_rcnn_resnext101"])]
)
def test_the_rows_with_fpn(train, backbone, overrides):
    results, _ = train("coco", backbone, *overrides)
    assert results["params"] == theirs(backbone)
    assert 0 <= results["val"]["ap"] <= 1
    assert 0 <= results["val"]["box/ap"] <= 1


@pytest.mark.long
def test_the_row_with_c4(train):
    results, weights = train("coco", "resnet101", "model=mask_rcnn_c4", "optimizer.lr=0.01")
    assert any(name.startswith("model.neck.stage.") for name in weights)
    assert weights["model.rpn.head.cls_logits.weight"].shape[0] == 15  # five sizes, three ratios
    assert 0 <= results["val"]["ap"] <= 1


EXTRAS = ["model.min_size=[48,64]", "model.test_sizes=[48,64]", "model.flip=true"]


@pytest.mark.long
@pytest.mark.parametrize(
    "overrides",
    [
        ["model=mnc_resnet101", "loss.weights.mask=2", "scheduler.milestones=[0.8]"],
        ["model=fcis_resnet101", "trainer.max_epochs=1", "scheduler.milestones=[0.6667]"],
        ["model=fcis_resnet101", *EXTRAS],
    ],
    ids=["mnc", "fcis", "fcis+++"],
)
def test_the_rows_of_ancestors(train, overrides):
    results, weights = train("coco", "resnet101", "optimizer.lr=0.0005", *overrides)
    assert weights["model.backbone.stages.0.0.weight"].shape[0] == 64
    assert 0 <= results["val"]["ap"] <= 1


@pytest.mark.long
def test_the_row_of_keypoints(train):
    results, _ = train("coco_keypoints", "resnet50", "model.min_size=[64,80]")
    assert 0 <= results["val"]["ap"] <= 1
    assert 0 <= results["val"]["mask/ap"] <= 1
