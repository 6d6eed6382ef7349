"""What the tasks that find objects are scored by, put together."""

from collections.abc import Mapping, Sequence
from functools import partial

from torchmetrics import Metric, MetricCollection

from src.data.description import Description
from src.metric.average_precision import average_precision
from src.metric.coco import Kind
from src.metric.matching import matched
from src.metric.objects import Objects, Pair
from src.metric.painted import Painted
from src.metric.pck import pck


def detection(
    description: Description, kinds: Mapping[Kind, str], threshold: float, extra: Mapping[str, Metric] | None
) -> MetricCollection:
    """COCO's figures of each kind, and what else its objects allow, all computed from objects that are kept once.

    Args:
        description: of the dataset.
        kinds: the prefix of the figures of each, the headline's first.
        threshold: of the score from which objects are matched and painted.
        extra: metrics of one's own by key; they are given the same objects.

    Raises:
        ValueError: a key of `extra` is taken.
    """
    masks = "segm" in kinds
    scores = partial(_scores, description=description, kinds=kinds, threshold=threshold)
    metrics: dict[str, Metric] = {"objects": Objects(scores, description.countable, masks)}
    if masks:
        metrics["map"] = Painted(description.countable, threshold)
    taken = sorted(set(extra or {}) & {*scores([]), *metrics, "map/miou", "map/dice"})
    if taken:
        raise ValueError(f"extra metrics may not be called {', '.join(taken)}: the suite has scores of that name")
    # One collection each, because a dict would be sorted and the headline would not be first.
    ordered = [MetricCollection({key: metric}) for key, metric in (metrics | dict(extra or {})).items()]
    return MetricCollection(ordered, compute_groups=False)


def _scores(
    images: Sequence[Pair], description: Description, kinds: Mapping[Kind, str], threshold: float
) -> dict[str, float]:
    categories = {index: description.classes[index] for index in description.countable}
    scores: dict[str, float] = {}
    for kind, prefix in kinds.items():
        figures = average_precision(images, kind, categories, description.sigmas)
        scores |= {prefix + name: value for name, value in figures.items()}
    if "keypoints" in kinds:
        scores["pck"] = pck(images, description.keypoints, threshold)
    return scores | (matched(images, threshold) if "segm" in kinds else {})
