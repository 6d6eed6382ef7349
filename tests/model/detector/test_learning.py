"""The default detectors learn four scenes by heart: nothing of where things are is lost on the way."""

import time

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch import Tensor, nn

from src.data.sample import Instances
from src.data.scenes import Scenes
from src.loss.mask_rcnn import MaskRCNN
from src.run.plugins import CONF

GOAL, PATIENCE = 0.75, 420  # mean IoU of the objects' masks; seconds of the processor


def scenes() -> tuple[list[Tensor], list[Instances]]:
    data = Scenes()
    place = {label: index for index, label in enumerate(data.describe().countable)}
    images, targets = [], []
    for sample in (data[index] for index in range(4)):
        objects = sample.instances
        labels = torch.tensor([place[int(label)] for label in objects.labels])
        images.append(sample.image.float() / 255)
        targets.append(Instances(objects.boxes.float(), labels, objects.masks))
    return images, targets


@torch.no_grad()
def score(model: nn.Module, images: list[Tensor], targets: list[Instances]) -> float:
    """Mean over the true objects of the IoU with the best of their class that scores at least a half."""
    overlaps = []
    for found, there in zip(model.eval()(images), targets, strict=True):
        for mask, label in zip(there.masks.bool(), there.labels, strict=True):
            rivals = found.masks[(found.labels == label) & (found.scores >= 0.5)]
            both, either = (rivals & mask).sum((1, 2)), (rivals | mask).sum((1, 2))
            overlaps.append(float((both / either).max()) if len(rivals) else 0.0)
    return sum(overlaps) / len(overlaps)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_four_scenes_are_learned_by_heart(tally):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(overrides=["+model=mask_rcnn"])
    images, targets = scenes()
    torch.manual_seed(0)
    model = instantiate(config.model, _convert_="all")(in_channels=3, out_channels=len(Scenes().describe().countable))
    loss, optimizer = MaskRCNN(), torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0)
    began, steps, best = time.process_time(), 0, 0.0
    while best <= GOAL and time.process_time() - began < PATIENCE:
        for _ in range(25):
            optimizer.zero_grad()
            loss(model.train()(images, targets)).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
        steps += 25
        best = max(best, score(model, images, targets))
    tally("mask_rcnn learned by heart", tried=1, failed=int(best <= GOAL), steps=steps, iou=round(best, 4))
    assert best > GOAL
