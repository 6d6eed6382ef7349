"""Whether the entries of COCO's files, results and annotations, are whole and fit together (Lin et al., 2014)."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Entry = Mapping[str, Any]


def wrong_truth(
    annotations: Sequence[Entry], images: Mapping[int, Entry], categories: Mapping[int, Entry]
) -> Iterator[str]:
    """What is wrong with annotations, each by its id.

    Args:
        images: of the file, by id.
        categories: likewise.
    """
    for index, entry in enumerate(annotations):
        name = f"annotation {entry.get('id', f'number {index}')}"
        for key, known in (("image_id", images), ("category_id", categories)):
            if not _listed(entry[key], known):
                yield f"{name} has {key} {entry[key]!r}, which the file does not list"
        yield from (f"{name}: {said}" for said in _wrong_shape(entry, _image(entry, images)))


def wrong_results(
    results: Sequence[Entry], images: Mapping[int, Entry], categories: Mapping[int, Entry], source: Path
) -> Iterator[str]:
    """What is wrong with results, each by its place in the list, from 0 on.

    Args:
        images: of the annotation file, by id.
        categories: likewise.
        source: the annotation file.
    """
    for index, entry in enumerate(results):
        for key, known in (("image_id", images), ("category_id", categories)):
            if not _listed(entry.get(key), known):
                remedy = f"predict with coco={source}, which writes the ids of that file"
                yield f"result {index} has {key} {entry.get(key)!r}, which {source.name} does not list: {remedy}"
        if not _numbers([entry.get("score")], 1):
            yield f"result {index} has the score {entry.get('score')!r}: give a number, by which results are ranked"
        yield from (f"result {index}: {said}" for said in _wrong_shape(entry, _image(entry, images)))


def _listed(value: Any, known: Mapping[int, Entry]) -> bool:
    return type(value) in (int, str) and value in known


def _image(entry: Entry, images: Mapping[int, Entry]) -> Entry:
    """The one it belongs to, whose size its masks have."""
    return images[entry["image_id"]] if _listed(entry.get("image_id"), images) else {}


def _wrong_shape(entry: Entry, image: Entry) -> Iterator[str]:
    """What is wrong with an entry's box, region or keypoints."""
    box, region, points = (entry.get(key) for key in ("bbox", "segmentation", "keypoints"))
    if box is not None and (not _numbers(box, 4) or min(box[2:]) < 0):
        yield f"its bbox is {str(box)[:60]}: give x, y, width and height, in pixels"
    if points is not None and (not _numbers(points, None) or len(points) % 3):
        yield f"its keypoints are {str(points)[:60]}: give x, y and visibility, or score, of each"
    size = [image.get("height"), image.get("width")]
    if isinstance(region, dict):
        if region.get("size") != size:
            yield f"its segmentation is of size {region.get('size')}, its image {size}: give run lengths of that size"
        elif not _runs(region.get("counts")):
            yield f"its segmentation has the counts {str(region.get('counts'))[:40]!r}: give numbers, or COCO's text"
    elif region is not None:
        whole = isinstance(region, list) and all(_numbers(each, None) and len(each) >= 6 for each in region)
        if not whole or any(len(each) % 2 for each in region) or not all(size):
            yield f"its segmentation is {str(region)[:60]}: give run lengths, or polygons of three corners or more"


def _runs(counts: Any) -> bool:
    """Whether these are run lengths, as text or as numbers."""
    if isinstance(counts, str):
        return all(48 <= code < 112 for code in set(counts.encode()))
    return isinstance(counts, list) and all(type(count) is int and count >= 0 for count in counts)


def _numbers(values: Any, count: int | None) -> bool:
    fits = isinstance(values, list) and len(values) == (len(values) if count is None else count)
    return fits and all(type(value) in (int, float) and math.isfinite(value) for value in values)
