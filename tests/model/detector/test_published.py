"""The presets are torchvision's detectors: its tensors fit, and then losses and objects are the same."""

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch import Tensor, nn
from torchvision.models import detection
from torchvision.models.detection._utils import overwrite_eps
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

from src.data.sample import Instances
from src.loss.mask_rcnn import MaskRCNN
from src.model.detector import published
from src.run.plugins import CONF

WEIGHTS = "model.weights=some.pth"
SIZES = {"min_size": 64, "max_size": 128}
NAMES = {
    "loss_objectness": "objectness",
    "loss_rpn_box_reg": "rpn_box",
    "loss_classifier": "class",
    "loss_box_reg": "box",
    "loss_mask": "mask",
    "loss_keypoint": "keypoint",
}
COUNTS = {  # of classes and keypoints; parameters
    "mask_rcnn_resnet50": ({"out_channels": 90}, 44_401_393),
    "faster_rcnn_resnet50": ({"out_channels": 90}, 41_755_286),
    "keypoint_rcnn_resnet50": ({"out_channels": 1, "num_keypoints": 17}, 59_137_258),
}


def ours(name: str, *words: str, in_channels: int = 3, **counts: int) -> nn.Module:
    sizes = [f"model.{key}={value}" for key, value in SIZES.items()]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(overrides=[f"+model={name}", *sizes, *words])
    return instantiate(config.model, _convert_="all")(in_channels=in_channels, **counts)


def theirs(name: str, **counts: int) -> nn.Module:
    """As with its weights: without them it would build a batch normalisation that learns."""
    classes = {"num_classes": counts.pop("out_channels") + 1}
    kind = {"mask": detection.MaskRCNN, "faster": detection.FasterRCNN, "keypoint": detection.KeypointRCNN}
    backbone = resnet_fpn_backbone(backbone_name="resnet50", weights=None, trainable_layers=5)
    return kind[name.partition("_")[0]](backbone, **classes, **counts, **SIZES)


def randomised(network: nn.Module) -> nn.Module:
    """Statistics as a trained network has them, and classes that differ enough for some to be found."""
    generator = torch.Generator().manual_seed(0)
    for name, value in network.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 1.5, generator=generator)
        elif name.endswith(("running_mean", "bn1.bias", "bn2.bias", "bn3.bias")):
            value.normal_(0, 0.1, generator=generator)
        elif "cls_score" in name:
            value.normal_(0, 0.2, generator=generator)
    overwrite_eps(network, 0.0)
    return network


def images() -> tuple[list[Tensor], list[Instances]]:
    """Two, of different sizes, so that one of them is padded."""
    generator = torch.Generator().manual_seed(1)
    pictures = [torch.rand(3, 64, 96, generator=generator), torch.rand(3, 90, 64, generator=generator)]
    targets = []
    for picture in pictures:
        boxes = torch.tensor([[4.0, 6, 40, 50], [20, 10, 60, 62]])
        points = torch.rand(2, 17, 3, generator=generator) * torch.tensor([36.0, 44, 2.9]) + boxes[:, None, [0, 1, 0]]
        points[..., 2] = (points[..., 2] - boxes[:, None, 0]).floor()
        masks = torch.rand(2, *picture.shape[-2:], generator=generator) > 0.5
        targets.append(Instances(boxes, torch.tensor([0, 0]), masks, points))
    return pictures, targets


def target(objects: Instances) -> dict[str, Tensor]:
    found = {"boxes": objects.boxes, "labels": objects.labels + 1, "keypoints": objects.keypoints}
    return found | {"masks": objects.masks.to(torch.uint8)}


@pytest.mark.parametrize("name", COUNTS)
def test_torchvisions_tensors_give_torchvisions_losses_and_objects(name, tmp_path):
    counts, params = COUNTS[name]
    torch.manual_seed(0)
    reference = randomised(theirs(name, **counts))
    torch.save(reference.state_dict(), tmp_path / "weights.pth")
    model = ours(name, f"model.weights={tmp_path}/weights.pth", **counts)
    assert sum(parameter.numel() for parameter in model.parameters()) == params
    pictures, targets = images()
    torch.manual_seed(3)
    expected = {NAMES[key]: loss for key, loss in reference.train()(pictures, list(map(target, targets))).items()}
    torch.manual_seed(3)
    torch.testing.assert_close(MaskRCNN().terms(model.train()(pictures, targets)), expected, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        found, wanted = model.eval()(pictures), reference.eval()(pictures)
    for objects, answer in zip(found, wanted, strict=True):
        assert len(objects) == len(answer["labels"]) > 0
        assert (objects.labels + 1).equal(answer["labels"])
        torch.testing.assert_close(objects.boxes, answer["boxes"], rtol=1e-4, atol=1e-3)
        torch.testing.assert_close(objects.scores, answer["scores"], rtol=1e-4, atol=1e-5)
        if model.branches == ("keypoint",):
            torch.testing.assert_close(objects.keypoints[..., :2], answer["keypoints"][..., :2], rtol=1e-4, atol=1e-2)


def test_coco_s_eighty_classes_are_those_that_torchvision_names():
    names = detection.MaskRCNN_ResNet50_FPN_Weights.DEFAULT.meta["categories"]
    assert [index for index, name in enumerate(names) if name == "N/A"] == list(published.LEFT_OUT)
    rows = torch.arange(4 * 91).float()
    kept = published._counted(rows, torch.zeros(4 * 81))
    assert kept.tolist() == [float(4 * i + j) for i in range(91) if i not in published.LEFT_OUT for j in range(4)]


def test_weights_for_other_classes_leave_the_last_layers_random(tmp_path, caplog):
    torch.manual_seed(0)
    model = ours("mask_rcnn_resnet50", out_channels=2)
    state = theirs("mask_rcnn_resnet50", out_channels=90).state_dict()
    torch.save(state, tmp_path / "weights.pth")
    before = model.box.box_predictor.cls_score.weight.clone()
    with caplog.at_level("INFO"):
        published.load(model, str(tmp_path / "weights.pth"), "")
    assert "learned anew" in caplog.text
    assert model.box.box_predictor.cls_score.weight.equal(before)
    assert model.mask.predictor.conv5_mask.weight.equal(state["roi_heads.mask_predictor.conv5_mask.weight"])
    assert model.backbone.stages[4][0][2].conv3.weight.equal(state["backbone.body.layer4.2.conv3.weight"])


def test_weights_of_another_architecture_are_refused(monkeypatch):
    with torch.device("meta"):
        state = theirs("mask_rcnn_resnet50", out_channels=1).state_dict()
        monkeypatch.setattr(published, "read", lambda path: state)
        ours("mask_rcnn_resnet50", WEIGHTS, out_channels=1)
        for other in ("model.backbone.name=resnet18", "model.mask.width=8", "model.neck.width=8"):
            with pytest.raises(ValueError, match=r"some\.pth does not fit this model .*model=mask_rcnn_resnet50"):
                ours("mask_rcnn_resnet50", WEIGHTS, other, out_channels=1)
        with pytest.raises(ValueError, match=r"Unexpected key"):
            ours("faster_rcnn_resnet50", WEIGHTS, out_channels=1)
