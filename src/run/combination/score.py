"""Scores that a callback can watch: those that the task logs."""

from collections.abc import Iterator
from typing import Any

from src.run.combination.part import OBJECTS, class_of
from src.run.nearest import did_you_mean
from src.run.signature import signature

_AP = (
    "ap",
    "ap50",
    "ap75",
    "ap_small",
    "ap_medium",
    "ap_large",
    "ar",
    "ar_small",
    "ar_medium",
    "ar_large",
    "ar1",
    "ar10",
)
_BOX_AP = tuple(f"box/{name}" for name in _AP)
_MATCHED = ("matched/iou", "matched/dice", "matched/precision", "matched/recall", "map/miou", "map/dice")
_OKS = ("ap", "ap50", "ap75", "ap_medium", "ap_large", "ar", "ar50", "ar75", "ar_medium", "ar_large", "pck")
# What a task is scored by; a test holds this against the suite itself.
_SCORES = {
    "src.task.colorization.Colorization": (
        "score", "loss", "auc", "auc_rebalanced", "psnr", "ssim", "rmse_ab", "colorfulness", "pixels",
    ),
    "src.task.depth.Depth": (
        "score", "loss", "delta1", "delta2", "delta3", "abs_rel", "sq_rel", "rmse", "rmse_log", "log10", "silog",
        "pixels",
    ),
    "src.task.instance.Instance": ("score", *_AP, *_BOX_AP, *_MATCHED),
    "src.task.keypoint.Keypoint": ("score", *_OKS, *_BOX_AP, *(f"mask/{name}" for name in _AP), *_MATCHED),
    "src.task.normals.Normals": (
        "score", "loss", "under_11_25", "under_5", "under_7_5", "under_22_5", "under_30", "mean_angle", "median_angle",
        "rmse_angle", "pixels",
    ),
    "src.task.regression.Regression": ("score", "loss", "r2", "rmse", "mae", "known"),
    "src.task.semantic.Semantic": (
        "score", "loss", "miou", "dice", "accuracy", "mean_accuracy", "fw_iou", "miou_things", "miou_stuff",
        "miou_per_image",
    ),
}  # fmt: skip
_TRAIN = ("loss", "lr", "images_per_second", "memory_mb")


def problems(config: dict[str, Any]) -> Iterator[str]:
    """What a callback watches and no task logs, and a run that keeps no best checkpoint: each in one sentence."""
    kept = False
    for name, part in (config["callback"] or {}).items():
        monitor = part.get("monitor")
        if monitor is None:
            continue
        kept = kept or "save_top_k" in signature(class_of(part)).names
        problem = unlogged(monitor, config)
        if problem:
            yield f"callback.{name}.monitor={monitor}: {problem}"
    if not kept:
        yield "callback: nothing keeps the best checkpoint, which is scored at the end; take callback=[default,...]"


def unlogged(monitor: str, config: dict[str, Any]) -> str | None:
    """Why a figure will never be logged, with the nearest that will; None if it may be. Classes are not known here."""
    task = config["task"]
    if class_of(task) == "src.task.joint.Joint":
        return _unlogged_of_several(monitor, config)
    names = _SCORES.get(class_of(task))
    if names is None:  # a task of the user's own
        return None
    names = [
        *(name for name in names if name != "miou_per_image" or task.get("per_image")),
        *(f"trimap_{width}" for width in task.get("trimap") or ()),
        *(task.get("metrics") or {}),
    ]
    loss = config["loss"]
    terms = [*_TRAIN, *(loss.get("losses") or (loss.get("weights") if class_of(task) in OBJECTS else None) or {})]
    known = [f"val/{name}" for name in names] + [f"train/{name}" for name in terms]
    classes = "ap" if class_of(task) in OBJECTS else "iou"
    if (
        monitor in known
        or monitor.startswith(f"val/{classes}/")
        or monitor.startswith(tuple(f"{name}/" for name in known))
    ):
        return None
    return f"the task never logs it{did_you_mean(monitor, known)} There are: {', '.join(known)}, val/{classes}/CLASS"


def _unlogged_of_several(monitor: str, config: dict[str, Any]) -> str | None:
    """Of several fields: the means, and the scores of each below its name."""
    fields = config["task"]["fields"]
    known = ["val/score", "val/loss", *(f"train/{name}" for name in (*_TRAIN, *fields))]
    known += [f"train/weight/{field}" for field in fields]
    field, _, name = monitor.removeprefix("val/").partition("/")
    if name in ("", "score", "loss") or field not in fields:
        below = ", ".join(f"val/{field}/NAME" for field in fields)
        near = did_you_mean(monitor, known)
        return None if monitor in known else f"the task never logs it{near} There are: {', '.join(known)}, {below}"
    return unlogged(f"val/{name}", {"task": config["task"]["parts"][field], "loss": config["loss"].get(field) or {}})
