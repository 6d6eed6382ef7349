"""What a validation step's scores cost, from logits to counts, beside torchmetrics and smp."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torchmetrics import MetricCollection
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassF1Score,
    MulticlassJaccardIndex,
    MulticlassPrecision,
    MulticlassRecall,
)

from src.benchmark import depths
from src.benchmark.clock import interleaved
from src.benchmark.machine import installed
from src.benchmark.row import Row
from src.data.description import UNKNOWN, Description
from src.metric import suite
from src.metric.labels import labels

JACCARD, COLLECTION, SMP = "MulticlassJaccardIndex(validate_args=False)", "MetricCollection of five", "smp get_stats"
ANGLES = "torch, arccos of F.cosine_similarity"
GOALS = {JACCARD: 0.4}
FORMATS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}


def run(config: Mapping[str, Any]) -> list[Row]:
    """A row per number of classes, memory format and peer."""
    rows = []
    for num_classes, batch in ((21, config["metric"]["batch"]), (150, 1)):
        logits, target = _maps(batch, num_classes, config["metric"]["size"])
        for name, memory_format in FORMATS.items():
            shown = logits.contiguous(memory_format=memory_format)
            contestants = _contestants(num_classes, shown, target)
            clocks = interleaved(contestants, config["rounds"])
            what = f"argmax and all scores, {'×'.join(map(str, logits.shape))}, {name}"
            for peer in contestants:
                if peer != "ours":
                    rows.append(_row(what, peer, clocks))
            if SMP not in contestants:
                rows.append(Row("metric", what, SMP, missing="not installed"))
    return [*rows, _directions(config), depths.row(config)]


def _directions(config: Mapping[str, Any]) -> Row:
    """All scores of normals, counted, beside an arccos whose angles are kept for the median."""
    generator, batch, size = torch.Generator().manual_seed(0), config["metric"]["batch"], config["metric"]["size"]
    output, target = torch.nn.functional.normalize(torch.randn(2, batch, 3, *size, generator=generator), dim=2)
    target[:, :, : size[0] // 20] = 0
    ours = suite.normals(Description(("image", "normals")))

    def kept() -> Tensor:
        cosine = torch.nn.functional.cosine_similarity(output, target, dim=1)
        return cosine.clamp(-1, 1).acos().rad2deg()[(target != 0).any(1)].clone()

    clocks = interleaved({"ours": lambda: ours.update(output, target), ANGLES: kept}, config["rounds"])
    return _row(f"all scores of normals, {'×'.join(map(str, output.shape))}", ANGLES, clocks)


def _maps(batch: int, num_classes: int, size: list[int]) -> tuple[Float[Tensor, "b k h w"], Integer[Tensor, "b h w"]]:
    """Logits and a target with some unknown pixels."""
    generator = torch.Generator().manual_seed(0)
    target = torch.randint(num_classes, (batch, *size), generator=generator, dtype=torch.uint8)
    target[:, : size[0] // 20] = UNKNOWN
    return torch.randn(batch, num_classes, *size, generator=generator), target


def _contestants(num_classes: int, logits: Tensor, target: Tensor) -> dict[str, Callable[[], object]]:
    """Each takes the same logits and keeps its counts; the peers get the target as they want it, as int64."""
    names = tuple(str(index) for index in range(num_classes))
    ours = suite.semantic(Description(("image", "mask"), names, ((0, 0, 0),) * num_classes))
    options = {"num_classes": num_classes, "ignore_index": UNKNOWN, "validate_args": False}
    jaccard = MulticlassJaccardIndex(**options)
    kinds = (MulticlassJaccardIndex, MulticlassAccuracy, MulticlassF1Score, MulticlassPrecision, MulticlassRecall)
    five = MetricCollection([kind(**options) for kind in kinds])
    long = target.long()
    contestants = {
        "ours": lambda: ours.update(labels(logits), target),
        JACCARD: lambda: jaccard.update(logits, long),
        COLLECTION: lambda: five.update(logits, long),
    }
    if installed("segmentation-models-pytorch"):
        from segmentation_models_pytorch.metrics import get_stats

        stats = partial(get_stats, target=long, mode="multiclass", ignore_index=UNKNOWN, num_classes=num_classes)
        contestants[SMP] = lambda: stats(logits.argmax(1))
    return contestants


def _row(what: str, peer: str, clocks: Mapping[str, Any]) -> Row:
    theirs, ours = clocks[peer], clocks["ours"]
    wall = {"wall_theirs": theirs.wall, "wall_ours": ours.wall}
    return Row("metric", what, peer, theirs.milliseconds(), ours.milliseconds(), goal=GOALS.get(peer), more=wall)
