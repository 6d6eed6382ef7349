"""Keypoint detection: objects, each with named points such as joints."""

from collections.abc import Callable

from torch import nn
from torchmetrics import Metric, MetricCollection

from src.data.description import Description
from src.metric import suite
from src.task.instance import Instance


class Keypoint(Instance):
    """As `Instance`, scored by the keypoints: OKS in place of the overlap of masks."""

    @staticmethod
    def built(model: Callable[..., nn.Module], description: Description) -> nn.Module:
        if not description.keypoints:
            raise ValueError("task=keypoint needs keypoints, and this dataset describes none")
        counts = {"out_channels": len(description.countable), "num_keypoints": len(description.keypoints)}
        return model(in_channels=description.channels, **counts)

    @staticmethod
    def scored(
        description: Description, model: nn.Module, threshold: float, extra: dict[str, Metric] | None
    ) -> MetricCollection:
        return suite.keypoint(description, masks=model.masks, threshold=threshold, extra=extra)
