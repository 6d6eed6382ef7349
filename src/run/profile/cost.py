"""What a model costs, from the meta device: nothing is allocated and nothing computed."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from hydra.utils import get_class
from torch import nn
from torch.nn import functional as F

from src.data.people import KEYPOINTS
from src.run import count
from src.run.build import build
from src.run.profile.live import Live
from src.run.profile.receptive import field

Settings, Pair = Mapping[str, Any], Sequence[int]


def cost(settings: Settings, num_classes: int, channels: int, size: Pair, reach: bool = True) -> dict[str, Any]:
    """Parameters, operations and receptive field of the model that `settings` describe, untrained.

    Args:
        settings: the config's `model`, as plain containers.
        num_classes: of the answer.
        channels: of the image.
        size: height and width of the image.
        reach: whether the receptive field is followed as well; else it is None.

    Raises:
        ValueError: the parts of the model do not fit; the message says what would.
    """
    model = built(settings, num_classes, channels)
    reductions = getattr(getattr(model, "backbone", None), "reductions", None)
    return {
        "params": count.trainable(model),
        "flops": count.operations(model, torch.zeros(1, channels, *size, device="meta")),
        "receptive_field": field(model, channels) if reach else None,
        "reductions": None if reductions is None else list(reductions),
    }


def finds_objects(settings: Settings) -> bool:
    """Whether it is a detector, which gives objects and no map."""
    return hasattr(get_class(settings["_target_"]), "masks")


def cost_of_detector(settings: Settings, num_classes: int, channels: int, size: Pair) -> dict[str, Any]:
    """Parameters of a detector, and its operations with as many regions as an untrained one proposes.

    Those are chosen by their scores, so that the network runs once, on the CPU. Arguments as of `cost`; `num_classes`
    does not count background, and the keypoints are COCO's.
    """
    model = built(settings, num_classes, channels, "cpu")
    return {
        "params": count.trainable(model),
        "flops": count.operations(model, torch.zeros(1, channels, *size)),
        "receptive_field": None,
        "reductions": list(model.backbone.reductions),
    }


def built(settings: Settings, num_classes: int, channels: int, device: str = "meta") -> nn.Module:
    """The model on a device; one for keypoints finds COCO's."""
    poses = "num_keypoints" in inspect.signature(get_class(settings["_target_"])).parameters
    with torch.device(device):
        numbers = {"num_keypoints": len(KEYPOINTS)} if poses else {}
        return build(settings, in_channels=channels, out_channels=num_classes, **numbers)


def memory(settings: Settings, num_classes: int, channels: int, size: Pair, batch_size: int) -> dict[str, float]:
    """MiB of tensors at the highest point in fp32, the model's own among them; the same on every machine.

    Args:
        batch_size: images at once; the others as of `cost`.

    Returns:
        inference: of a forward pass in evaluation; training: of a step with AdamW, whose two moments count.
    """
    model = built(settings, num_classes, channels)
    image = torch.zeros(batch_size, channels, *size, device="meta")
    with torch.no_grad(), Live(model) as inference:
        model.eval()(image)
    moments = [torch.empty_like(parameter) for parameter in model.parameters() for _ in range(2)]
    target = torch.zeros(batch_size, *size, dtype=torch.long, device="meta")
    with Live(model) as training:
        F.cross_entropy(model.train()(image), target).backward()
    held = sum(tensor.nbytes for tensor in [image, target, *moments])
    return {"inference": (inference.peak + image.nbytes) / 2**20, "training": (training.peak + held) / 2**20}
