"""Which object that was found stands for which that is there, one by one and in pictures: plain figures, without AP."""

from collections.abc import Sequence
from math import fsum, nan
from typing import NamedTuple

import numpy as np
from faster_coco_eval.core import mask as rle
from jaxtyping import Bool, Float

from src.metric.kept import Kept

LEAST = 0.5  # IoU of two objects that are taken for the same


class Match(NamedTuple):
    """The outcome of one image."""

    pairs: list[tuple[int, int, float]]  # index found, index there, their IoU
    false: int  # found and not there
    missed: int  # there and not found


def match(found: Kept, there: Kept, threshold: float, masks: bool) -> Match:
    """Match the objects of an image that have the same class and an IoU of at least 0.5.

    The most certain object chooses first, the one there that it overlaps most among those still free. Crowds are not
    chosen; what lies in one of its class by half or more is not false either.

    Args:
        found: those that score less than `threshold` are left out.
        there: the truth.
        threshold: of the score.
        masks: whether masks overlap, or boxes.
    """
    order = np.argsort(-found.scores, kind="stable")
    order = order[found.scores[order] >= threshold]
    crowd = np.zeros(len(there), bool) if there.crowd is None else there.crowd
    overlap = _overlap(found, there, crowd, masks)
    free, pairs, false = ~crowd, [], 0
    for index in order.tolist():
        best = int(np.argmax(np.where(free, overlap[index], -1))) if len(there) else -1
        if best >= 0 and free[best] and overlap[index, best] >= LEAST:
            free[best] = False
            pairs.append((index, best, float(overlap[index, best])))
        else:
            false += not (overlap[index, crowd] >= LEAST).any()
    return Match(pairs, false, int(free.sum()))


def matched(images: Sequence[tuple[Kept, Kept]], threshold: float) -> dict[str, float]:
    """The mean IoU and Dice of the masks that match, and the shares of objects that do.

    Returns:
        matched/iou and matched/dice, NaN where nothing matches; matched/precision, of the objects found with at least
        `threshold`; matched/recall, of those there. Images whose target has no masks are left out.
    """
    outcomes = [match(found, there, threshold, masks=True) for found, there in images if _drawn(there)]
    ious = [iou for outcome in outcomes for _, _, iou in outcome.pairs]
    false, missed = (sum(getattr(outcome, name) for outcome in outcomes) for name in ("false", "missed"))
    return {
        "matched/iou": _share(fsum(ious), len(ious)),
        "matched/dice": _share(fsum(2 * iou / (1 + iou) for iou in ious), len(ious)),
        "matched/precision": _share(len(ious), len(ious) + false),
        "matched/recall": _share(len(ious), len(ious) + missed),
    }


def _overlap(found: Kept, there: Kept, crowd: Bool[np.ndarray, " m"], masks: bool) -> Float[np.ndarray, "n m"]:
    """IoU, with a crowd the share of what was found that lies in it; 0 for another class."""
    if not len(found) or not len(there):
        return np.zeros((len(found), len(there)))
    sides = (found.masks, there.masks) if masks else (found.boxes, there.boxes)
    return rle.iou(*sides, crowd.tolist()) * (found.labels[:, None] == there.labels)


def _drawn(there: Kept) -> bool:
    return there.masks is not None or not len(there)


def _share(part: float | int, whole: int) -> float:
    return part / whole if whole else nan
