"""Every model learns four scenes by heart: nothing of where things are is lost between image and answer."""

import time
from dataclasses import dataclass

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch import Tensor, nn

from src.data.scenes import Scenes
from src.loss.cross_entropy import CrossEntropy
from src.metric.confusion import Confusion
from src.metric.labels import labels
from src.metric.overlap import iou
from src.run.plugins import CONF
from tests.narrow import dense

GOAL, PATIENCE = 0.98, 600  # mIoU; seconds of the processor
CLASSES = len(Scenes().describe().classes)


@dataclass(frozen=True)
class Way:
    """How a model learns by heart."""

    words: tuple[str, ...] = ()  # a narrow version, without dropout
    cells: tuple[int, int] = (48, 64)  # at which the scenes are rendered
    zoom: int = 1  # pixels that each cell becomes: what scores 8 pixels at once is asked for things of 8 pixels
    rate: float = 3e-3


NORM = "model.norm={_target_: torch.nn.BatchNorm2d, _partial_: true}"
FCN = ("model.width=16", "model.fc_channels=128", "model.dropout=0.0", "model.trainable=true", NORM)
VIT = ("model.backbone.name=vit_tiny_patch16_224", "model.backbone.options.out_indices=[2,5,8,11]")
WIDTHS = ("model.decoder.widths=[48,96,192,384]", "model.decoder.width=64")
WHOLE = ("model.size=[96,128]", "model.width=32", "model.fc_channels=256", "model.dropout=0.0")
SCALES = (*WHOLE, "model.factor=1.0", "model.padding=5")
WAYS = {
    "fcn8s": Way(FCN, (24, 32), 8),
    "fcn8s_small": Way(("model.dropout=0.0",), (12, 16), 8),
    "fcn8s_at_once": Way(FCN, (9, 12), 8),
    "fcn16s": Way(FCN, (12, 16), 16),
    "fcn32s": Way(FCN, (6, 8), 32),
    "fcn_alexnet": Way(("model.width=32", "model.fc_channels=256", "model.dropout=0.0"), (3, 4), 64, 1e-3),
    "fcn": Way(("model/backbone=resnet18",), (24, 32), 8, 1e-3),
    "deconvnet": Way(("model.width=16", "model.fc_channels=128"), (16, 16), 8, 1e-3),
    "unet_paper": Way(("model.width=16", "model.dropout=0.0"), rate=1e-3),
    "deeplabv3plus": Way(("model.backbone.name=resnet18", "model.decoder.dropout=0.0"), (24, 32), 4),
    "pspnet": Way(("model.backbone.name=resnet18", "model.decoder.dropout=0.0"), (12, 16), 8),
    "fpn": Way(("model/backbone=resnet18",), (24, 32), 4),
    "hypercolumn": Way(("model/backbone=vgg11_bn",)),
    "smp": Way(("model.encoder=resnet18",)),
    **{f"fc_densenet{depth}": Way(("model.dropout=0.0",), (32, 48)) for depth in (56, 67, 103)},
    "sliding_window": Way(("model.dropout=0.0",)),
    "eccv16": Way(("model.width=16",), (24, 32), 4, 1e-3),
    "dpt": Way((*VIT, "model.head.dropout=0.0"), (24, 32), 4, 1e-3),
    "dpt_large": Way((*VIT, "model.head.dropout=0.0", *WIDTHS), (24, 32), 4, 1e-3),
    "eigen_fergus": Way(("model/backbone=vgg11_bn", *SCALES), (24, 32), 4, 1e-3),
    "eigen_fergus_alexnet": Way(SCALES, (24, 32), 4, 1e-3),
    "eigen_fergus_small": Way(("model.dropout=0.0",), (24, 32), 4),
    "zoomout": Way(("model.superpixels=200", "model.dropout=0.0", "model.width=256"), (12, 16), 8),
}


def scenes(way: Way) -> tuple[Tensor, Tensor]:
    """Four images in [0, 1] and their classes."""
    data = Scenes("train", way.cells, {"train": 4})
    samples = [data[index] for index in range(4)]
    image = torch.stack([sample.image.as_subclass(Tensor) for sample in samples]).float() / 255
    mask = torch.stack([sample.mask.as_subclass(Tensor) for sample in samples])
    return tuple(x.repeat_interleave(way.zoom, -1).repeat_interleave(way.zoom, -2) for x in (image, mask))


def built(name: str, way: Way) -> nn.Module:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose(overrides=[f"+model={name}", *way.words])
    torch.manual_seed(0)
    return instantiate(config.model, _convert_="all")(in_channels=3, out_channels=CLASSES)


@torch.no_grad()
def score(model: nn.Module, image: Tensor, mask: Tensor) -> float:
    """mIoU over the classes that occur."""
    confusion = Confusion(CLASSES)
    confusion.update(labels(model.eval()(image)), mask)
    return float(iou(confusion.compute()).nanmean())


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", dense("model"))
def test_four_scenes_are_learned_by_heart(name, tally):
    way = WAYS.get(name, Way())
    model, (image, mask), loss = built(name, way), scenes(way), CrossEntropy()
    optimizer = torch.optim.AdamW(model.parameters(), way.rate, weight_decay=0)
    began, steps, best = time.process_time(), 0, 0.0
    while best <= GOAL and time.process_time() - began < PATIENCE:
        for _ in range(20):
            optimizer.zero_grad()
            loss(model.train()(image), mask).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        steps += 20
        best = max(best, score(model, image, mask))
    tally(f"{name} learned by heart", tried=1, failed=int(best <= GOAL), steps=steps, miou=round(best, 4))
    assert best > GOAL
