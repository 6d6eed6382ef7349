"""The share of correct keypoints, PCK (Yang and Ramanan, 2013)."""

from collections.abc import Sequence
from math import nan

import numpy as np
from jaxtyping import Float

from src.metric.kept import Kept
from src.metric.matching import match

NEAR = 0.2  # of the object's length
_TORSO = (("left_shoulder", "right_hip"), ("right_shoulder", "left_hip"))  # diagonals; the first that is labelled


def pck(images: Sequence[tuple[Kept, Kept]], names: Sequence[str], threshold: float) -> float:
    """The share of the labelled keypoints that were found within 0.2 of the object's length; NaN where there are none.

    The length is that of the torso, from a shoulder to the opposite hip, as it is usual for people who are not upright
    (Leeds Sports Poses); an object with neither diagonal labelled does not count. Where keypoints have no such names it
    is the larger side of the box, as Yang and Ramanan have it. Only objects that were found at all count: those whose
    box matches one of at least `threshold` (`src.metric.matching.match`), so that this goes with a recall.

    Args:
        images: found and there in each.
        names: of the keypoints.
        threshold: of the score.
    """
    plain = [name.lower().replace(" ", "_") for name in names]
    torso = [tuple(map(plain.index, ends)) for ends in _TORSO if set(ends) <= set(plain)]
    right = labelled = 0
    for found, there in images:
        if there.keypoints is None:
            continue
        for index, best, _ in match(found, there, threshold, masks=False).pairs:
            truth = there.keypoints[best]
            length = _diagonal(truth, torso) if torso else there.boxes[best, 2:].max()
            if length is not None:
                near = _distance(found.keypoints[index], truth) <= NEAR * length
                right += int((near & (truth[:, 2] > 0)).sum())
                labelled += int((truth[:, 2] > 0).sum())
    return right / labelled if labelled else nan


def _diagonal(truth: Float[np.ndarray, "k 3"], torso: Sequence[tuple[int, ...]]) -> float | None:
    for ends in torso:
        if (truth[list(ends), 2] > 0).all():
            return float(np.hypot(*np.diff(truth[list(ends), :2], axis=0)[0]))
    return None


def _distance(one: Float[np.ndarray, "k 3"], other: Float[np.ndarray, "k 3"]) -> Float[np.ndarray, " k"]:
    return np.hypot(*(one[:, :2] - other[:, :2]).T)
