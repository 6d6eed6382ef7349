"""Which values make sense, by argument: one line for each, whatever the class, because a name means one thing here."""

import re
from collections.abc import Mapping
from typing import Any

from src.run.interval import Limit, listed
from src.run.nearest import did_you_mean


def limits(target: str) -> dict[str, Limit]:
    """Those of a target's arguments: what is said of its package first, then of itself."""
    found: dict[str, Limit] = {}
    for place, table in sorted(_LIMITS.items(), key=lambda item: len(item[0])):
        if target == place or (place.endswith(".") and target.startswith(place)):
            found |= table
    return found


def _share_or_count(value: Any) -> str | None:
    fits = value is None or (type(value) is int and value >= 1) or (type(value) is float and 0 < value <= 1)
    return None if fits else "a number of batches (1 or more), or a share of them (a float above 0, up to 1.0)"


def _devices(value: Any) -> str | None:
    if isinstance(value, list):
        fits = bool(value) and all(type(item) is int and item >= 0 for item in value)
    else:
        text = isinstance(value, str) and re.fullmatch(r"auto|-1|\d+(,\d+)*", value)
        fits = bool(text) or (type(value) is int and (value >= 1 or value == -1))
    return None if fits else "how many (1 or more), a list of indices, or auto"


def _jobs(value: Any) -> str | None:
    fits = value == "auto" or (type(value) is int and value >= 1)
    return None if fits else "auto, or how many at the same time (1 or more)"


def _duration(value: Any) -> str | None:
    fits = (
        value is None or isinstance(value, dict) or (isinstance(value, str) and re.fullmatch(r"\d+(:\d\d){3}", value))
    )
    return None if fits else "days:hours:minutes:seconds, such as 00:01:30:00"


def _lengths(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return "how many samples by split, such as {train: 600, val: 100}"
    wrong = next((str(split) for split in value if split not in _SPLITS), None)
    if wrong is not None:
        return f"the splits {listed(_SPLITS)}, not {wrong!r}{did_you_mean(wrong, _SPLITS)}"
    fits = all(type(count) is int and count >= 0 for count in value.values())
    return None if fits else "whole numbers, at least 0"


def _anything(value: Any) -> None:
    """For a name that has limits elsewhere."""


_PRECISIONS = ("32-true", "bf16-mixed", "16-mixed", "bf16-true", "16-true", "64-true", "transformer-engine")
_SHORT = ("transformer-engine-float16", "16", "bf16", "32", "64", 16, 32, 64)
_SPLITS = ("train", "val", "test")
_COUNT, _SHARE = "[1, inf)", "[0, 1]"
_ABSENT, _PER = ("exclude", "zero", "count"), ("batch", "sample")
_COMBINE = ("mean", "product", "max", "vote")

_LIMITS: dict[str, dict[str, Limit]] = {
    "src.": {
        "dropout": "[0, 1)",
        "width": _COUNT,
        "widths": _COUNT,
        "fc_channels": _COUNT,
        "depth": _COUNT,
        "depths": _COUNT,
        "groups": _COUNT,
        "output_stride": (8, 16, 32),
        "kernel_size": _COUNT,
        "prior": "(0, 1)",
        "refresh_rate": _COUNT,
        "every_n_epochs": _COUNT,
        "every_n_steps": _COUNT,
        "count": "[0, inf)",
        "skips": _COUNT,
        "skip": "[0, inf)",
        "every_n_minutes": "(0, inf)",
        "max_skipped_steps": _COUNT,
        "mode": ("min", "max"),
    },
    "src.loss.": {
        "smooth": "[0, inf)",
        "label_smoothing": "[0, 1]",
        "alpha": "[0, inf)",
        "beta": "[0, inf)",
        "gamma": "[0, inf)",
        "threshold": _SHARE,
        "min_kept": "[0, inf)",
        "weights": "[0, inf)",
        "reduction": ("mean", "sum"),
        "per": _PER,
        "absent": _ABSENT,
    },
    "src.loss.cross_entropy.CrossEntropy": {"reduction": ("mean", "weighted_mean", "sum")},
    "src.loss.weighted_cross_entropy.WeightedCrossEntropy": {
        "reduction": ("mean", "weighted_mean", "sum"),
        "beta": "(0, 1)",
        "power": "[0, inf)",
    },
    "src.loss.border_cross_entropy.BorderCrossEntropy": {
        "w0": "[0, inf)",
        "sigma": "(0, inf)",
        "foreground": "[0, 254]",
        "reduction": ("mean", "weighted_mean", "sum"),
    },
    "src.loss.color_bins.ColorBins": {"uniform": "(0, 1]", "neighbours": "[1, 313]", "sigma": "(0, inf)"},
    "src.loss.angmf.AngMF": {"min_kappa": "[0, inf)"},
    "src.loss.focal.Focal": {"alpha": _SHARE},
    "src.loss.weighting.": {"rate": "(0, inf)"},
    "src.logger.": {
        "start_seconds": "(0, inf)",
        "end_seconds": "(0, inf)",
        "max_queue": _COUNT,
        "flush_secs": "(0, inf)",
    },
    "src.loss.silog.Silog": {"invariance": _SHARE},
    "src.loss.eigen_fergus.EigenFergus": {"invariance": _SHARE, "gradient": "[0, inf)"},
    "src.loss.gradient.Gradient": {"scales": _COUNT},
    "src.loss.lovasz.Lovasz": {"absent": ("exclude", "count")},
    "src.loss.tversky.Tversky": {"gamma": "(0, inf)"},
    "src.model.norm.group.Group": {"size": _COUNT},
    "src.model.fcn.Fcn": {"scales": "(0, inf)"},
    "src.model.deconvnet.Deconvnet": {"fc_size": _COUNT},
    "src.model.fcn_full.FcnFull": {"depth": _COUNT},
    "src.model.sliding_window.SlidingWindow": {"patch": "[5, inf)", "window_batch": _COUNT},
    "src.model.fc_densenet.FcDensenet": {"first": _COUNT, "growth": _COUNT, "layers": _COUNT},
    "src.model.decoder.hypercolumn.Hypercolumn": {"taps": _COUNT},
    "src.model.decoder.deeplabv3plus.Deeplabv3plus": {"rates": _COUNT, "low": _COUNT, "low_width": _COUNT},
    "src.model.decoder.pspnet.Pspnet": {"bins": _COUNT},
    "src.model.decoder.fpn.Fpn": {"branch_width": _COUNT, "finest": _COUNT},
    "src.model.eigen_fergus.EigenFergus": {
        "size": "[16, inf) pair",
        "scales": (1, 2, 3),
        "factor": "(0, inf)",
        "padding": "[0, 5]",
    },
    "src.model.zoomout.Zoomout": {"superpixels": _COUNT, "compactness": "(0, inf)", "margin": "[0, inf)"},
    "src.task.": {"threshold": _SHARE, "backbone_rate": "[0, inf)", "trimap": _COUNT},
    "src.task.depth.Depth": {
        "measure": ("log", "metres"),
        "cap": "(0, inf) pair ordered",
        "crop": ("none", "eigen", "garg"),
        "align": ("none", "median", "least_squares"),
        "averaging": ("image", "pixel"),
    },
    "src.task.colorization.Colorization": {"temperature": "[0, inf)"},
    "src.model.": {"min_size": _COUNT, "max_size": _COUNT},
    "src.model.detector.": {
        "size": _COUNT,
        "sizes": _COUNT,
        "ratios": "(0, inf)",
        "base": _COUNT,
        "foreground": _SHARE,
        "background": _SHARE,
        "samples": _COUNT,
        "positive": _SHARE,
        "before_nms": "[1, inf) pair",
        "after_nms": "[1, inf) pair",
        "nms": _SHARE,
        "score": _SHARE,
        "detections": _COUNT,
        "layers": "[0, inf)",
        "threshold": _SHARE,
        "clip": "(0, inf)",
        "balance": "[0, inf)",
        "merge": _SHARE,
    },
    "src.model.fcis.FCIS": {"iterations": _COUNT, "test_sizes": _COUNT},
    "src.model.mnc.MNC": {"stages": (3, 5), "merge": _SHARE, "clip": "(0, inf)"},
    "src.model.detector.grid.Grid": {"places": _COUNT, "taps": _COUNT},
    "src.model.neck.single.Single": {"reduction": _COUNT},
    "src.model.roi.warp.Warp": {"sampling": _COUNT},
    "src.model.roi.": {"sampling": "[0, inf)", "canonical": _COUNT},
    "src.model.roi.align_max.AlignMax": {"sampling": _COUNT},
    "src.model.neck.fpn.Fpn": {"finest": _COUNT},
    "src.loss.roi_dice.RoiDice": {"cross_entropy": "[0, inf)"},
    "src.scheduler.": {
        "warmup": "[0, 1)",
        "power": "(0, inf)",
        "final": "[0, inf)",
        "factor": "(0, inf)",
        "milestones": "(0, 1)",
    },
    "src.scheduler.exponential": {"final": "(0, inf)"},
    "src.data.": {
        "size": "[1, inf) pair",
        "repeat": _COUNT,
        "patch": "[3, inf)",
        "enlarge": "[1, inf) pair ordered",
        "min_area": "[0, inf)",
        "crop": "[1, inf) pair",
        "resolution": "[1, inf) pair",
        "batch_size": _COUNT,
        "eval_batch_size": _COUNT,
        "workers": ("[0, 1024]", "auto"),
        "seed": "[0, 4294967295]",
        "scene_seed": "[0, 4294967295]",
        "split_seed": "[0, 4294967295]",
        "lengths": _lengths,
        "rooms": _SHARE,
        "people": "[0, 20]",
        "year": (2014, 2017),
        "superpixels": _COUNT,
        "compactness": "(0, inf)",
        "click_seed": "[0, 4294967295]",
        "per_object": _COUNT,
        "length": "(0, 1]",
        "val_fraction": "[0, 1)",
        "test_fraction": "[0, 1)",
        "channels": _COUNT,
        "value_range": "(-inf, inf) pair ordered",
        "max_pixels": _COUNT,
        "scale": "(0, inf) pair ordered",
        "ratio": "(0, inf) pair ordered",
        "flip": _SHARE,
        "flip_vertical": _SHARE,
        "class_aware": _SHARE,
        "rotate": "[0, 180]",
        "elastic": "[0, inf)",
        "brightness": "[0, inf)",
        "contrast": "[0, inf)",
        "saturation": "[0, inf)",
        "hue": "[0, 0.5]",
        "min_object": _COUNT,
        "paste": _SHARE,
        "hidden": _SHARE,
    },
    "src.data.nyuv2.NYUv2": {"depth": ("filled", "raw"), "crop": ("eigen", None), "normals_window": "[3, inf)"},
    "src.data.folder.Folder": {"depths": _anything, "depth_scale": "(0, inf)"},
    "torch.optim.": {
        "lr": "(0, inf)",
        "weight_decay": "[0, inf)",
        "momentum": "[0, 1)",
        "alpha": "[0, 1)",
        "dampening": "[0, inf)",
        "betas": "[0, 1) pair",
        "eps": "(0, inf)",
    },
    "torch.nn.": {"label_smoothing": _SHARE, "eps": "(0, inf)", "p": _SHARE},
    "lightning.Trainer": {
        "accelerator": ("auto", "cpu", "gpu", "cuda", "mps", "tpu"),
        "devices": _devices,
        "precision": (*_PRECISIONS, *_SHORT, "auto"),
        "sync_batchnorm": (True, False, "auto"),
        "max_epochs": (_COUNT, -1, None),
        "max_steps": (_COUNT, -1),
        "max_time": _duration,
        "accumulate_grad_batches": _COUNT,
        "gradient_clip_val": "(0, inf)",
        "gradient_clip_algorithm": ("norm", "value", None),
        "check_val_every_n_epoch": _COUNT,
        "log_every_n_steps": _COUNT,
        "limit_train_batches": _share_or_count,
        "limit_val_batches": _share_or_count,
        "limit_test_batches": _share_or_count,
        "num_sanity_val_steps": "[-1, inf)",
        "num_nodes": _COUNT,
    },
    "lightning.pytorch.callbacks.": {
        "mode": ("min", "max"),
        "patience": "[0, inf)",
        "save_top_k": "[-1, inf)",
        "every_n_epochs": "[0, inf)",
        "decay": "[0, 1)",
        "update_every_n_steps": _COUNT,
        "update_starting_at_step": "[0, inf)",
    },
    "src.run.sweep.": {
        "invalid": ("refuse", "skip"),
        "jobs": _jobs,
        "trials": _COUNT,
        "seed": "[0, 4294967295]",
        "seeds": "[0, 4294967295]",
        "min_epochs": _COUNT,
        "reduction": "[2, inf)",
    },
    # Keys of the commands themselves.
    "train": {"seed": "[0, 4294967295]"},
    "profile": {
        "num_classes": _COUNT,
        "channels": _COUNT,
        "size": "[1, inf) pair",
        "batch_size": _COUNT,
        "repeat": _COUNT,
        "precision": ("auto", "bf16-mixed", "32-true"),
    },
    "evaluate": {"split": _SPLITS, "pictures": "[0, inf)", "combine": _COMBINE, "scales": "(0, inf)"},
    "predict": {
        "objects": (True, False, "watershed"),
        "min_object": "[0, inf)",
        "score_threshold": _SHARE,
        "top_k": _COUNT,
        "depth_scale": "(0, inf)",
        "focal": "(0, inf)",
        "field_of_view": "(0, 180)",
        "combine": _COMBINE,
        "scales": "(0, inf)",
        "batch_size": _COUNT,
        "tile": _COUNT,
        "overlap": "[0, 1)",
        "tile_above": _COUNT,
        "max_pixels": _COUNT,
    },
    "report": {"images": _COUNT, "every": _COUNT},
    "score": {
        "absent": ("exclude", "zero", "one"),
        "values": ("binary", None),
        "num_classes": "[1, 255]",
        "depth_scale": "(0, inf)",
        "cap": "(0, inf) pair ordered",
        "crop": ("none", "eigen", "garg"),
        "align": ("none", "median", "least_squares"),
        "averaging": ("image", "pixel"),
    },
}
