"""COCO results against a COCO annotation file, whoever wrote them: read, checked and scored (Lin et al., 2014)."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from faster_coco_eval.core import mask as rle

from src.data.coco_points import COCOPoints
from src.metric.coco import Kind, evaluated
from src.run.inference.entries import wrong_results, wrong_truth

_Entry = dict[str, Any]
_KEYS: dict[Kind, str] = {"keypoints": "keypoints", "segm": "segmentation", "bbox": "bbox"}
_SHOWN = 20  # lines of an error


def judged(results: Path, annotations: Path) -> dict[str, Any]:
    """Score what both files hold: boxes, masks, keypoints.

    Args:
        results: a list of detections with image_id, category_id, score and bbox, segmentation or keypoints.
        annotations: images, annotations and categories. Images without a result count as images in which nothing was
            found.

    Returns:
        scores: plain numbers by name, `score` first, named as an evaluation names them; classes: the categories'
        names; images, results: how many there are; empty: images without a result.

    Raises:
        ValueError: a file is none of COCO's, or entries do not fit together, all of them in one message.
    """
    truth, found = _truth(annotations), _read(results, "prediction")
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        said = "it is an annotation file: give it as target" if isinstance(found, dict) and "images" in found else ""
        raise ValueError(f"prediction={results}: {said or 'COCO results are a list of detections'}")
    images = {image["id"]: image for image in truth["images"]}
    categories = {category["id"]: category for category in truth["categories"]}
    _refuse(annotations, wrong_truth(truth["annotations"], images, categories))
    _refuse(results, wrong_results(found, images, categories, annotations))
    kinds = _kinds(found, truth["annotations"], results, annotations)
    sides = (truth["annotations"], found)
    annotated, detected = ([_packed(entry, images[entry["image_id"]]) for entry in side] for side in sides)
    scores: dict[str, float] = {}
    for kind in kinds:
        prefix = {"keypoints": "", "segm": "mask/" if "keypoints" in kinds else "", "bbox": "box/"}[kind]
        figures = _scored(kind, images, annotated, detected, categories, annotations)
        scores |= {prefix + name: value for name, value in figures.items()}
    return {
        "scores": {"score": next(iter(scores.values())), **scores},
        "classes": [category["name"] for category in categories.values()],
        "images": len(images),
        "results": len(found),
        "empty": len(images.keys() - {entry["image_id"] for entry in found}),
    }


def _scored(
    kind: Kind,
    images: Mapping[int, _Entry],
    annotated: Sequence[_Entry],
    detected: Sequence[_Entry],
    categories: Mapping[int, _Entry],
    source: Path,
) -> dict[str, float]:
    points = COCOPoints.of(list(categories.values()) if kind == "keypoints" else [], source)
    chosen = {key: one for key, one in categories.items() if kind != "keypoints" or one.get("keypoints")}
    none = [0] * 3 * len(points.names)  # who has no keypoints has none that is labelled
    annotated, detected = (
        [
            {**entry, "keypoints": entry.get("keypoints") or none} if kind == "keypoints" else entry
            for entry in side
            if entry["category_id"] in chosen
        ]
        for side in (annotated, detected)
    )
    names = {key: str(one["name"]) for key, one in chosen.items()}
    return evaluated(list(images.values()), annotated, detected, kind, categories=names, sigmas=points.sigmas)


def _read(path: Path, key: str) -> Any:
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{key}={path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ValueError(f"{key}={path}: is no JSON ({error})") from error


def _truth(path: Path) -> dict[str, list[_Entry]]:
    content = _read(path, "target")
    wanted = {"images": ("id",), "annotations": ("image_id", "category_id"), "categories": ("id", "name")}
    for part, keys in wanted.items():
        entries = content.get(part) if isinstance(content, dict) else None
        if not isinstance(entries, list):
            raise ValueError(f"target={path}: has no list of {part}; an annotation file of COCO was expected")
        for index, entry in enumerate(entries):
            lacking = [key for key in keys if not isinstance(entry, dict) or key not in entry]
            if lacking:
                raise ValueError(f"target={path}: number {index} of its {part} has no {' and no '.join(lacking)}")
        ids = Counter(str(entry["id"]) for entry in entries if "id" in entry)
        twice = [key for key, times in ids.items() if times > 1]
        if twice:
            raise ValueError(
                f"target={path}: the id {twice[0]} stands {ids[twice[0]]} times in its {part}: number them"
            )
    return {part: content[part] for part in wanted}


def _kinds(found: Sequence[_Entry], truth: Sequence[_Entry], results: Path, annotations: Path) -> list[Kind]:
    """What both sides have; a result that lacks what others have is a mistake."""
    kinds: list[Kind] = []
    for kind, key in _KEYS.items():
        having = sum(key in entry for entry in found)
        if 0 < having < len(found):
            without = next(index for index, entry in enumerate(found) if key not in entry)
            raise ValueError(f"prediction={results}: result {without} has no {key}, and {having} others have one")
        if (having or not found) and any(entry.get(key) for entry in truth):
            kinds.append(kind)
    for kind in kinds:
        lacking = next((entry for entry in truth if not entry.get(_KEYS[kind]) and kind != "keypoints"), None)
        if lacking is not None:
            said = f"annotation {lacking.get('id')} has no {_KEYS[kind]}, and others have one"
            raise ValueError(f"target={annotations}: {said}: add it")
    if not kinds:
        keys = [", ".join(key for key in _KEYS.values() if any(key in one for one in side)) for side in (found, truth)]
        raise ValueError(
            f"prediction={results} has {keys[0] or 'nothing'}, target={annotations} has {keys[1] or 'nothing'}: "
            "there is nothing to compare; both need bbox, segmentation or keypoints"
        )
    return kinds


def _packed(entry: _Entry, image: _Entry) -> _Entry:
    """The entry with its region as compressed run lengths; of keypoints JSON may have made integers."""
    if "keypoints" in entry:
        entry = {**entry, "keypoints": [float(value) for value in entry["keypoints"]]}
    region = entry.get("segmentation")
    if not region or (isinstance(region, dict) and isinstance(region["counts"], str)):
        return entry
    runs = rle.frPyObjects(region, image["height"], image["width"])
    return {**entry, "segmentation": rle.merge(runs) if isinstance(region, list) else runs}


def _refuse(path: Path, problems: Iterator[str]) -> None:
    told = list(problems)
    if told:
        more = f"\n... and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
        raise ValueError(f"{path}: {len(told)} entries that cannot be scored:\n" + "\n".join(told[:_SHOWN]) + more)
