"""COCO's average precision and recall of boxes, masks and keypoints (Lin et al., 2014)."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from faster_coco_eval.core import mask as rle
from jaxtyping import Float

from src.metric import collector

Kind = Literal["bbox", "segm", "keypoints"]  # what is compared, in COCO's own words
Entry = Mapping[str, Any]  # an object of COCO's JSON

_PLACE = ("image_id", "category_id")
_KEPT = {"bbox": (*_PLACE, "bbox"), "segm": (*_PLACE, "segmentation"), "keypoints": (*_PLACE, "keypoints", "bbox")}


@collector.paused()
def evaluated(
    images: Sequence[Entry],
    annotations: Sequence[Entry],
    results: Sequence[Entry],
    kind: Kind,
    *,
    categories: Mapping[int, str],
    sigmas: Sequence[float] = (),
) -> dict[str, float]:
    """COCO's figures by name, NaN where there is nothing to find: no object of the kind, class or size.

    The names are, headline first, ap (the mean over IoU 0.50 to 0.95), ap50, ap75, ap_small (below 32² pixels),
    ap_medium, ap_large (above 96²), ar (of at most 100 detections per image and class), ar_small, ar_medium,
    ar_large, ar1, ar10 (of at most 1 and 10) and ap/NAME for each category. Keypoints are compared by OKS in place of
    IoU, with at most 20 detections; they have no small objects, and ar50 and ar75 in place of ar1 and ar10.

    A result's size is that of its mask for "segm", whatever box it has beside it, and its box's for "bbox"; an
    annotation's is its `area`, or, without one, that of its mask or else its box. Equal scores keep the order of the
    images' ids, and of the results within an image. What is given is left as it is.

    Args:
        images: id, and height and width for masks.
        annotations: image_id, category_id and what the kind asks for: `bbox` (x, y, width, height in pixels),
            `segmentation` (polygons or run lengths), or `keypoints` (x, y, visibility) and `bbox`. Those with `iscrowd`
            are neither found nor missed, and so are those without a labelled keypoint for "keypoints".
        results: the same with a `score`; a segmentation is compressed run lengths.
        kind: what is compared.
        categories: the name of each id that is evaluated; annotations of others are left out.
        sigmas: of each keypoint, for OKS.

    Raises:
        ValueError: a result is for an image or a category that there is not, or sigmas are not one per keypoint.
    """
    _refuse_strangers(results, "image_id", {image["id"] for image in images})
    _refuse_strangers(results, "category_id", set(categories))
    _refuse_other_keypoints([*annotations, *results] if kind == "keypoints" else [], sigmas)
    truth, found = _truth(annotations, kind), _found(results, kind)
    return measured(images, truth, found, kind, categories=categories, sigmas=sigmas)


def measured(
    images: Sequence[Entry],
    truth: list[dict[str, Any]],
    found: list[dict[str, Any]],
    kind: Kind,
    *,
    categories: Mapping[int, str],
    sigmas: Sequence[float] = (),
) -> dict[str, float]:
    """As `evaluated`, of complete entries that may be written into: all of them with area and iscrowd, those of
    `truth` with num_keypoints for "keypoints".
    """
    for entries in (truth, found):
        for index, entry in enumerate(entries, 1):  # 0 would mean no match
            entry["id"] = index
    sides = (COCO(_dataset(images, entries, categories)) for entries in (truth, found))
    run = COCOeval_faster(*sides, kind, print_function=_silent, kpt_oks_sigmas=list(sigmas) or None)
    run.params.catIds = sorted(categories)
    shape = (len(run.params.iouThrs), len(categories), len(run.params.areaRng), len(run.params.maxDets))
    recall, precision = np.full(shape, -1.0), np.full((shape[0], len(run.params.recThrs), *shape[1:]), -1.0)
    if images and categories:
        run.evaluate()
        recall, precision = run.eval["recall"].reshape(recall.shape), run.eval["precision"].reshape(precision.shape)
    names = [categories[category] for category in sorted(categories)]
    return _figures(precision, recall, run.params.areaRngLbl[1:], names, kind)


def _figures(
    precision: Float[np.ndarray, "t r k a m"],
    recall: Float[np.ndarray, "t k a m"],
    sizes: Sequence[str],
    names: Sequence[str],
    kind: Kind,
) -> dict[str, float]:
    """Means over IoU thresholds t, recalls r and categories k, for area ranges a and numbers of detections m."""
    chosen = {"ap": precision[..., 0, -1], "ap50": precision[0, ..., 0, -1], "ap75": precision[5, ..., 0, -1]}
    chosen |= {f"ap_{size}": precision[..., index, -1] for index, size in enumerate(sizes, 1)}
    chosen |= {"ar": recall[..., 0, -1]} | {f"ar_{size}": recall[..., index, -1] for index, size in enumerate(sizes, 1)}
    if kind == "keypoints":
        chosen |= {"ar50": recall[0, ..., 0, -1], "ar75": recall[5, ..., 0, -1]}
    else:
        chosen |= {"ar1": recall[..., 0, 0], "ar10": recall[..., 0, 1]}
    chosen |= {f"ap/{name}": precision[:, :, index, 0, -1] for index, name in enumerate(names)}
    return {name: _mean(values) for name, values in chosen.items()}


def _mean(values: Float[np.ndarray, "..."]) -> float:
    """Of those that are defined; COCO writes -1 for the others."""
    defined = values[values > -1]
    return float(defined.mean()) if defined.size else float("nan")


def _dataset(images: Sequence[Entry], entries: list[dict[str, Any]], categories: Mapping[int, str]) -> dict[str, Any]:
    named = [{"id": category, "name": name} for category, name in categories.items()]
    return {"images": [dict(image) for image in images], "annotations": entries, "categories": named}


def _truth(annotations: Sequence[Entry], kind: Kind) -> list[dict[str, Any]]:
    entries = [_copied(entry, kind) for entry in annotations]
    for copy, entry in zip(entries, annotations, strict=True):
        copy["iscrowd"] = int(entry.get("iscrowd", 0))
        copy["area"] = entry["area"] if "area" in entry else _area(entry)
        if kind == "keypoints":
            copy["num_keypoints"] = sum(seen > 0 for seen in entry["keypoints"][2::3])
    return entries


def _found(results: Sequence[Entry], kind: Kind) -> list[dict[str, Any]]:
    """With what counts as their area where it decides whether they are of the size asked for."""
    entries = [_copied(entry, kind) | {"score": entry["score"], "iscrowd": 0} for entry in results]
    if kind == "segm" and entries:
        areas = rle.area([entry["segmentation"] for entry in entries]).tolist()
    elif kind == "keypoints":
        areas = [_extent(entry["keypoints"][0::3]) * _extent(entry["keypoints"][1::3]) for entry in entries]
    else:
        areas = [entry["bbox"][2] * entry["bbox"][3] for entry in entries]
    for entry, area in zip(entries, areas, strict=True):
        entry["area"] = area
    return entries


def _copied(entry: Entry, kind: Kind) -> dict[str, Any]:
    return {key: entry[key] for key in _KEPT[kind] if key in entry}


def _extent(values: Sequence[float | int]) -> float | int:
    return max(values) - min(values)


def _area(entry: Entry) -> float:
    runs = entry.get("segmentation")
    return float(rle.area(runs)) if isinstance(runs, Mapping) else float(entry["bbox"][2] * entry["bbox"][3])


def _silent(*_: object) -> None:
    """The evaluation would tell its progress."""


def _refuse_strangers(results: Sequence[Entry], key: str, known: set[int]) -> None:
    strange = sorted({entry[key] for entry in results} - known)
    if strange:
        raise ValueError(
            f"{len(strange)} values of {key} in the results are not among the annotations' {len(known)}, such as "
            f"{strange[0]}: evaluate with the annotations that the predictions were made for"
        )


def _refuse_other_keypoints(entries: Sequence[Entry], sigmas: Sequence[float]) -> None:
    counts = {len(entry["keypoints"]) // 3 for entry in entries}
    if counts - {len(sigmas)}:
        raise ValueError(
            f"objects have {sorted(counts)} keypoints and there are {len(sigmas)} sigmas: give one for each"
        )
