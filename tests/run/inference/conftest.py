"""Tasks with models small enough to be known by heart."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from lightning import Fabric
from torch import nn

from src.data.description import Description
from src.run.inference.member import Member
from src.task.semantic import Semantic


@pytest.fixture
def member() -> Callable[..., Member]:
    """Builds a member of 3 classes around one convolution with random weights."""

    def build(
        kernel: int = 1, size=None, seed: int = 0, multilabel: bool = False, precision="32-true", channels: int = 3
    ) -> Member:
        colors = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
        description = Description(("image", "mask"), ("a", "b", "c"), colors, channels=channels, multilabel=multilabel)
        torch.manual_seed(seed)
        model = partial(nn.Conv2d, kernel_size=kernel, padding=kernel // 2)
        task = Semantic(description, model, nn.CrossEntropyLoss(), torch.optim.SGD, multilabel=multilabel)
        nn.init.normal_(task.model.weight, std=3)  # so that classes are decided
        return Member(task, size, Fabric(accelerator="cpu", devices=1, precision=precision))

    return build


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.inference_mode():
        yield
