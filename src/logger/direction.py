"""Which way a logged figure is better."""

from typing import Literal

from src.metric.depth import SCORES as DEPTHS

_ERRORS = {"loss", "mae", "rmse_ab", "mean_angle", "median_angle", "rmse_angle"}
_ERRORS |= {name for name in DEPTHS if not name.startswith("delta")}  # rmse is regression's as well
_COUNTS = {"pixels", "known", "colorfulness"}  # neither way


def better(key: str) -> Literal["max", "min"] | None:
    """Whether the largest or the smallest value of `val/miou`, `train/loss`, `val/depth/abs_rel` ... is the best.

    None for what has no better side: counts, rates, and everything of the training but its losses.

    Args:
        key: stage and name, as figures are logged. A name that is not known, a metric of the user's own, is taken for a
            score.
    """
    stage, _, name = key.rpartition("best/")[2].partition("/")
    last = name.rpartition("/")[2]
    if stage == "train":
        return "min" if name == "loss" else None
    if stage not in ("val", "test") or last in _COUNTS:
        return None
    return "min" if last in _ERRORS else "max"
