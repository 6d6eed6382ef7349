"""Scores of a confusion matrix: pure functions, in float64, NaN where a score is not defined.

A matrix is [... c d]: a row per true class and a column per predicted one; a column beyond those, d = c + 1, holds
the pixels that were given no class, which are wrong for the true class and nobody's false alarm.

What becomes of an *absent* class, one that occurs neither in the target nor in the output of the whole set:

- torchmetrics' MulticlassJaccardIndex and MulticlassF1Score leave it out of the macro mean, but show it as 0 with
  average="none"; torchmetrics.segmentation.MeanIoU goes image by image and shows it as -1.
- mmsegmentation (`nanmean`), FCN's score.py, detectron2 and the script of Cityscapes leave it out.
- VOC's script divides 0 by 0, so that the mean itself is not a number: each of its classes is expected to occur.

A class that is predicted but is nowhere in the target has IoU 0 and counts, here and in torchmetrics, mmsegmentation,
FCN, VOC and Cityscapes; detectron2 leaves it out. `recall` is not defined for it: FCN, mmsegmentation and detectron2
leave it out of the mean class accuracy, as we do, while torchmetrics' macro MulticlassAccuracy counts it as 0.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from jaxtyping import Float, Integer
from torch import Tensor

Absent = Literal["exclude", "zero", "one"]
Matrix = Integer[Tensor, " *b c d"]


def iou(matrix: Matrix) -> Float[Tensor, " *b c"]:
    """Intersection over union per class; NaN for an absent class."""
    hit, true, predicted = _sides(matrix)
    return hit / (true + predicted - hit)


def dice(matrix: Matrix) -> Float[Tensor, " *b c"]:
    """Dice, that is F1, per class: 2 TP / (2 TP + FP + FN); NaN for an absent class."""
    hit, true, predicted = _sides(matrix)
    return 2 * hit / (true + predicted)


def recall(matrix: Matrix) -> Float[Tensor, " *b c"]:
    """The share of a class that was found, "class accuracy"; NaN where the class is not in the target."""
    hit, true, _ = _sides(matrix)
    return hit / true


def accuracy(matrix: Matrix) -> Float[Tensor, " *b"]:
    """The share of the known pixels that are right; NaN where nothing is known."""
    hit, true, _ = _sides(matrix)
    return hit.sum(-1) / true.sum(-1)


def weighted_iou(matrix: Matrix) -> Float[Tensor, " *b"]:
    """The IoU of each class weighted by its share of the known pixels (Long et al., 2015)."""
    _, true, _ = _sides(matrix)
    return (true * iou(matrix).nan_to_num(0.0)).sum(-1) / true.sum(-1)


def mean(values: Float[Tensor, " *b c"], absent: Absent = "exclude") -> Float[Tensor, " *b"]:
    """The mean over classes, where a NaN is left out, counted as 0 or counted as 1."""
    if absent == "exclude":
        return values.nanmean(-1)
    return values.nan_to_num({"zero": 0.0, "one": 1.0}[absent]).mean(-1)


def average(
    matrix: Matrix, of: Callable[[Tensor], Tensor], absent: Absent, only: Sequence[int] | None = None
) -> Float[Tensor, "..."]:
    """The mean over all classes, or `only` some, of a score per class."""
    values = of(matrix)
    return mean(values if only is None else values[..., list(only)], absent)


def foreground(matrix: Integer[Tensor, " *b 2 d"], of: Callable[[Tensor], Tensor]) -> Float[Tensor, " *b"]:
    """A score per class of yes-or-no matrices, for the yes alone: a matrix per channel gives a value per channel."""
    return of(matrix)[..., 1]


def _sides(matrix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Per class the pixels that are right, that truly are and that were said to be of it."""
    counts = matrix.to(torch.float64)
    hit = counts.diagonal(dim1=-2, dim2=-1)
    return hit, counts.sum(-1), counts.sum(-2)[..., : matrix.shape[-2]]
