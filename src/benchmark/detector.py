"""What a training step of Mask R-CNN costs, in a bare loop, beside torchvision's own with the same weights."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

from src.benchmark.clock import interleaved
from src.benchmark.row import Row
from src.data.sample import Instances
from src.run import cli
from src.run.build import build, plain

CLASSES, OBJECTS = 90, 5


def run(config: Mapping[str, Any]) -> list[Row]:
    """One row: ResNet-50 and FPN, on images that neither side resizes."""
    side, batch = config["detector"]["side"], config["detector"]["batch"]
    theirs, ours, loss = _built(side)
    images, targets = _images(side, batch)
    dicts = [{"boxes": t.boxes, "labels": t.labels + 1, "masks": t.masks} for t in targets]
    loops = {
        "ours": partial(_step, ours, lambda: loss.terms(ours(images, targets))),
        "torchvision": partial(_step, theirs, lambda: theirs(images, dicts)),
    }
    clocks = interleaved(loops, config["rounds"])
    what = f"Mask R-CNN ResNet-50 FPN, {batch}×3×{side}×{side}"
    figures = clocks["torchvision"].milliseconds(), clocks["ours"].milliseconds()
    wall = {"wall_theirs": clocks["torchvision"].wall, "wall_ours": clocks["ours"].wall}
    return [Row("detector", what, "torchvision", *figures, "ms/step", 1.03, spread=True, more=wall)]


def _built(side: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    """torchvision's, ours with the same tensors, and our loss."""
    torch.manual_seed(0)
    backbone = resnet_fpn_backbone(backbone_name="resnet50", weights=None, trainable_layers=5)
    theirs = MaskRCNN(backbone, CLASSES + 1, min_size=side, max_size=side)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "weights.pth"
        torch.save(theirs.state_dict(), file)
        sizes = [f"model.min_size={side}", f"model.max_size={side}", "model.backbone.norm.eps=1e-5"]
        words = ["task=instance", "model=mask_rcnn_resnet50", f"model.weights={file}", *sizes]
        settings = plain(cli.compose("train", words))
        ours = build(settings["model"])(in_channels=3, out_channels=CLASSES)
    return theirs.train(), ours.train(), build(settings["loss"])


def _images(side: int, batch: int) -> tuple[list[Tensor], list[Instances]]:
    generator = torch.Generator().manual_seed(0)
    images, targets = [], []
    for _ in range(batch):
        corner = torch.rand(OBJECTS, 2, generator=generator) * side / 2
        boxes = torch.cat([corner, corner + side / 8 + torch.rand(OBJECTS, 2, generator=generator) * side / 3], 1)
        masks = (torch.rand(OBJECTS, side, side, generator=generator) > 0.5).to(torch.uint8)
        labels = torch.randint(CLASSES, (OBJECTS,), generator=generator)
        images.append(torch.rand(3, side, side, generator=generator))
        targets.append(Instances(boxes, labels, masks))
    return images, targets


def _step(model: nn.Module, terms: Callable[[], Mapping[str, Tensor]]) -> None:
    """Forward and backward: what the optimizer does is the same for both. The same regions are drawn."""
    torch.manual_seed(0)
    model.zero_grad()
    sum(terms().values()).backward()
