"""What each task is scored by: one function per task, the headline first."""

from collections.abc import Sequence
from functools import partial
from typing import get_args

from torch import Tensor
from torchmetrics import Metric, MetricCollection
from torchmetrics.wrappers import MultitaskWrapper

from src.data.description import Description
from src.metric.channel_confusion import ChannelConfusion
from src.metric.coco import Kind
from src.metric.colorization import SCORES as COLORS
from src.metric.colorization import Colorization
from src.metric.confusion import Confusion
from src.metric.depth import SCORES as DEPTHS
from src.metric.depth import Depth
from src.metric.detection import detection
from src.metric.normals import SCORES as ANGLES
from src.metric.normals import Normals
from src.metric.overlap import Absent, accuracy, average, dice, foreground, iou, recall, weighted_iou
from src.metric.per_image import PerImage
from src.metric.regression import SCORES as ERRORS
from src.metric.regression import Regression
from src.metric.trimap import Trimap


def semantic(
    description: Description,
    *,
    absent: str = "exclude",
    per_image: bool = False,
    trimap: Sequence[int] = (),
    extra: dict[str, Metric] | None = None,
) -> MetricCollection:
    """Scores of class maps, all computed from one confusion matrix that is counted once per batch.

    Call `update(output, target)` and `compute`; `forward` works too, but counts anew for every score. Keys: miou (of
    the whole set), dice (mean over classes), accuracy (of pixels), mean_accuracy (over classes), fw_iou, iou (per
    class, NaN for an absent one), confusion, miou_things and miou_stuff where the dataset says which is which, and
    on request miou_per_image and trimap_1, trimap_2 ..., the mIoU near boundaries. Where masks overlap each class is a
    question of its own, answered by yes or no per pixel: maps are [b k h w], fw_iou is left out, and accuracy is the
    share of right answers.

    Args:
        description: of the dataset.
        absent: whether a class that is neither in target nor in output is left out of a mean ("exclude") or counts
            as 0 or 1 in it ("zero", "one"). `src.metric.overlap` says what the known evaluators do.
        per_image: whether to score image by image as well.
        trimap: widths in pixels of bands around boundaries that are scored as well, see `Trimap`.
        extra: metrics of your own by key. They are given the same class maps, unknown pixels as 255 among them:
            torchmetrics' own want ignore_index=255.

    Raises:
        ValueError: no classes, another word for absent, widths that do not grow, or a key of `extra` that is taken.
    """
    if absent not in get_args(Absent):
        raise ValueError(f"absent={absent!r}: say one of {', '.join(get_args(Absent))}")
    if not description.classes:
        raise ValueError("a dataset without classes cannot be scored by class: its description names none")
    build = _overlapping if description.multilabel else _exclusive
    metrics = build(description, absent)
    shared, score = list(metrics), metrics["miou"].score
    num_classes = 2 if description.multilabel else description.num_classes
    if per_image:
        metrics["miou_per_image"] = PerImage(num_classes, score)
    if trimap:
        channels = description.num_classes if description.multilabel else None
        metrics["trimap"] = Trimap(num_classes, trimap, score, channels)
    return _collected(metrics, shared, extra, [f"trimap_{width}" for width in trimap])


def instance(
    description: Description, *, masks: bool, threshold: float, extra: dict[str, Metric] | None = None
) -> MetricCollection:
    """Scores of objects; `update(output, target)` takes a list of `Instances` each, in pixels of the files.

    `compute` gives, headline first, COCO's figures of the masks (ap, ap50, ... see `src.metric.coco.evaluated`), those
    of the boxes (box/ap ...), matched/iou ... (see `src.metric.matching.matched`), and map/miou and map/dice (see
    `Painted`). Without masks the boxes' alone.

    Args:
        description: of the dataset, some of whose classes are countable.
        masks: whether the model gives masks.
        threshold: of the score from which an object is matched and painted; COCO's figures see all of them.
        extra: metrics of your own by key; they are given the same objects.

    Raises:
        ValueError: a key of `extra` is taken.
    """
    kinds: dict[Kind, str] = {"segm": "", "bbox": "box/"} if masks else {"bbox": "box/"}
    return detection(description, kinds, threshold, extra)


def keypoint(
    description: Description, *, masks: bool, threshold: float, extra: dict[str, Metric] | None = None
) -> MetricCollection:
    """As `instance`, but the headline figures (ap, ap50, ...) compare keypoints by OKS.

    Then come box/ap ..., with masks mask/ap ..., pck (see `src.metric.pck.pck`), and with masks the rest.
    """
    kinds: dict[Kind, str] = {"keypoints": "", "bbox": "box/"} | ({"segm": "mask/"} if masks else {})
    return detection(description, kinds, threshold, extra)


def depth(
    description: Description,
    *,
    cap: Sequence[float | int] = (1e-3, 10.0),
    crop: str = "none",
    align: str = "none",
    averaging: str = "image",
    extra: dict[str, Metric] | None = None,
) -> MetricCollection:
    """Scores of depth, computed from sums that are kept once (`Depth` has the formulas and which pixels count).

    `update(output, target)` takes metres [b 1 h w], target 0 unknown. Keys: delta1, delta2, delta3, abs_rel, sq_rel,
    rmse, rmse_log, log10, silog, pixels (how many were scored).

    Args:
        description: of the dataset.
        cap, crop, align, averaging: see `Depth`.
        extra: metrics of your own by key; they are given the same maps, neither clamped nor aligned.

    Raises:
        ValueError: what `Depth` refuses, or a key of `extra` is taken.
    """
    metric = Depth(cap, crop, align, averaging)
    return _collected({"depth": metric}, ["depth"], extra, [*DEPTHS, "pixels"])


def normals(description: Description, *, extra: dict[str, Metric] | None = None) -> MetricCollection:
    """Scores of surface normals, pooled over all known pixels and computed from one histogram of angles (`Normals`).

    `update(output, target)` takes unit normals [b 3 h w], target 0 unknown. Keys: under_11_25, under_5, under_7_5,
    under_22_5 and under_30 (shares of the angles below so many degrees), mean_angle, median_angle and rmse_angle (in
    degrees), pixels (how many were known).

    Args:
        description: of the dataset.
        extra: metrics of your own by key; they are given the same maps.

    Raises:
        ValueError: a key of `extra` is taken.
    """
    return _collected({key: Normals(score) for key, score in ANGLES.items()}, list(ANGLES), extra)


def regression(description: Description, *, extra: dict[str, Metric] | None = None) -> MetricCollection:
    """Scores of one float field, pooled over all known values of pixels and channels alike (`Regression`).

    `update(output, target)` takes maps [b c h w], target NaN unknown. Keys: r2, rmse and mae (in the field's unit),
    known (how many there were).

    Args:
        description: of the dataset.
        extra: metrics of your own by key; they are given the same maps.

    Raises:
        ValueError: a key of `extra` is taken.
    """
    return _collected({key: Regression(score) for key, score in ERRORS.items()}, list(ERRORS), extra)


def colorization(description: Description, *, extra: dict[str, Metric] | None = None) -> MetricCollection:
    """Scores of colours that lightness was given, computed from sums that are shared (`Colorization`).

    `update(output, target)` takes a and b [b 2 h w], and L, a and b [b 3 h w]. Keys: auc and auc_rebalanced (areas
    under the curve of errors), psnr, ssim and colorfulness (means over images), rmse_ab (over pixels), pixels (how
    many there are).

    Args:
        description: of the dataset.
        extra: metrics of your own by key; they are given the same maps.

    Raises:
        ValueError: a key of `extra` is taken.
    """
    return _collected({key: Colorization(score) for key, score in COLORS.items()}, list(COLORS), extra)


def joint(parts: dict[str, MetricCollection]) -> MetricCollection:
    """Scores of several fields: `update(output, target)` takes both by field, and `compute` gives a dict by field.

    Args:
        parts: the suite of each field.
    """
    return MetricCollection({"joint": MultitaskWrapper(parts)})


def flat(values: dict[str, Tensor], description: Description) -> dict[str, float]:
    """What a collection computed as plain numbers for logs: `miou`, and `iou/road` for each class of a vector.

    A vector that is not one value per class is numbered, `name/0`; matrices are for pictures and left out.
    """
    numbers: dict[str, float] = {}
    for key, value in values.items():
        if value.ndim == 0:
            numbers[key] = float(value)
        elif value.ndim == 1:
            names = description.classes if len(value) == description.num_classes else range(len(value))
            numbers |= {f"{key}/{name}": item for name, item in zip(names, value.tolist(), strict=True)}
    return numbers


def _collected(
    metrics: dict[str, Metric], shared: list[str], extra: dict[str, Metric] | None, reserved: Sequence[str] = ()
) -> MetricCollection:
    """Metrics and further ones in this order; those that are `shared` have one state among them."""
    taken = sorted(set(extra or {}) & {*metrics, *reserved})
    if taken:
        raise ValueError(f"extra metrics may not be called {', '.join(taken)}: the suite has scores of that name")
    # One collection each, because a dict would be sorted and the headline would not be first.
    ordered = [MetricCollection({key: metric}) for key, metric in (metrics | (extra or {})).items()]
    return MetricCollection(ordered, compute_groups=[shared])


def _exclusive(description: Description, absent: Absent) -> dict[str, Metric]:
    mean = partial(average, absent=absent)
    scores = {
        "miou": partial(mean, of=iou),
        "dice": partial(mean, of=dice),
        "accuracy": accuracy,
        "mean_accuracy": partial(mean, of=recall),
        "fw_iou": weighted_iou,
        **{key: partial(mean, of=iou, only=only) for key, only in _kinds(description).items()},
        "iou": iou,
        "confusion": None,
    }
    return {key: Confusion(description.num_classes, score) for key, score in scores.items()}


def _overlapping(description: Description, absent: Absent) -> dict[str, Metric]:
    mean = partial(average, absent=absent)
    channel_iou = partial(foreground, of=iou)
    scores = {
        "miou": partial(mean, of=channel_iou),
        "dice": partial(mean, of=partial(foreground, of=dice)),
        "accuracy": _pooled_accuracy,
        "mean_accuracy": partial(mean, of=partial(foreground, of=recall)),
        **{key: partial(mean, of=channel_iou, only=only) for key, only in _kinds(description).items()},
        "iou": channel_iou,
        "confusion": None,
    }
    return {key: ChannelConfusion(description.num_classes, score) for key, score in scores.items()}


def _pooled_accuracy(matrices: Tensor) -> Tensor:
    return accuracy(matrices.sum(0))


def _kinds(description: Description) -> dict[str, list[int]]:
    """Indices of the countable classes and of the others, by key; a kind without classes has no score."""
    if description.things is None:
        return {}
    things = [index for index, name in enumerate(description.classes) if name in description.things]
    stuff = [index for index in range(description.num_classes) if index not in things]
    return {key: only for key, only in (("miou_things", things), ("miou_stuff", stuff)) if only}
