"""What a model costs, from the meta device: nothing is allocated and nothing computed."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

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


def built(settings: Settings, num_classes: int, channels: int, device: str = "meta") -> nn.Module:
    """The model on a device."""
    with torch.device(device):
        return build(settings, in_channels=channels, out_channels=num_classes)


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
