"""The default detectors learn four scenes by heart: nothing of where things are is lost on the way."""

import time

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch import Tensor, nn
from torchvision.ops import box_iou

from src.data.description import Description
from src.data.sample import Instances
from src.data.scenes import Scenes
from src.loss.mask_rcnn import MaskRCNN
from src.run.plugins import CONF

GOAL, PATIENCE = 0.75, 420  # mean likeness of what is found to what is there; seconds of the processor
PEOPLE = {"people": 3.0, "things": ["person"]}


def scenes(**options) -> tuple[Description, list[Tensor], list[Instances]]:
    data = Scenes(**options)
    place = {label: index for index, label in enumerate(data.describe().countable)}
    images, targets = [], []
    for sample in (data[index] for index in range(4)):
        objects = sample.instances
        labels = torch.tensor([place[int(label)] for label in objects.labels])
        images.append(sample.image.float() / 255)
        targets.append(Instances(objects.boxes.float(), labels, objects.masks, objects.keypoints))
    return data.describe(), images, targets


def of_masks(found: Instances, there: Instances, description: Description) -> Tensor:
    """IoU of all pairs, [found there]."""
    pairs = found.masks[:, None], there.masks.bool()[None]
    return (pairs[0] & pairs[1]).sum((2, 3)) / (pairs[0] | pairs[1]).sum((2, 3))


def of_boxes(found: Instances, there: Instances, description: Description) -> Tensor:
    return box_iou(found.boxes, there.boxes)


def of_keypoints(found: Instances, there: Instances, description: Description) -> Tensor:
    """OKS of all pairs, by the formula of COCO's page."""
    squares = (found.keypoints[:, None, :, :2] - there.keypoints[None, ..., :2]).square().sum(-1)
    spread = 2 * torch.tensor(description.sigmas)
    area = there.masks.flatten(1).sum(1).float()[:, None]
    seen = there.keypoints[..., 2] > 0
    return (torch.exp(-squares / (2 * area * spread**2)) * seen).sum(-1) / seen.sum(-1).clamp(min=1)


CASES = {
    "faster_rcnn": (of_boxes, {}),
    "mask_rcnn": (of_masks, {}),
    "mnc": (of_masks, {}),
    "sds": (of_masks, {}),
    "fcis": (of_masks, {}),
    "keypoint_rcnn": (of_keypoints, PEOPLE),
}


@torch.no_grad()
def score(model, images, targets, likeness, description) -> float:
    """Mean over the true objects of the likeness of the best of their class that scores at least a half."""
    best = []
    for found, there in zip(model.eval()(images), targets, strict=True):
        rivals = found.only(found.scores >= 0.5)
        alike = likeness(rivals, there, description) * (rivals.labels[:, None] == there.labels)
        best += alike.amax(0).tolist() if len(rivals.labels) else [0.0] * len(there.labels)
    return sum(best) / len(best)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", CASES)
def test_four_scenes_are_learned_by_heart(name, tally):
    likeness, options = CASES[name]
    description, images, targets = scenes(**options)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(overrides=[f"+model={name}"])
    counts = {"out_channels": len(description.countable)}
    if description.keypoints:
        counts["num_keypoints"] = len(description.keypoints)
    torch.manual_seed(0)
    model: nn.Module = instantiate(config.model, _convert_="all")(in_channels=3, **counts)
    loss, optimizer = MaskRCNN(), torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0)
    began, steps, best = time.process_time(), 0, 0.0
    while best <= GOAL and time.process_time() - began < PATIENCE:
        for _ in range(25):
            optimizer.zero_grad()
            loss(model.train()(images, targets)).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
        steps += 25
        best = max(best, score(model, images, targets, likeness, description))
    tally(f"{name} learned by heart", tried=1, failed=int(best <= GOAL), steps=steps, likeness=round(best, 4))
    assert best > GOAL
