"""What COCO's figures of a set cost, from objects in memory to numbers, beside pycocotools and faster-coco-eval."""

import contextlib
import io
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from faster_coco_eval import COCO, COCOeval_faster
from faster_coco_eval.core import mask as rle

from src.benchmark.clock import Clock, interleaved
from src.benchmark.machine import installed
from src.benchmark.row import Row
from src.metric.average_precision import average_precision
from src.metric.coco import Kind
from src.metric.kept import Kept

HEIGHT, WIDTH, CLASSES = 480, 640, 80
THERE, FOUND = 7, 36  # objects of an image, on average as in COCO's val2017, and detections
PYCOCOTOOLS, FASTER = "pycocotools", "faster-coco-eval, called directly"
WHAT: dict[Kind, str] = {"bbox": "boxes", "segm": "masks"}

Images = list[tuple[Kept, Kept]]  # found and there


def run(config: Mapping[str, Any]) -> list[Row]:
    """A row for boxes and one for masks per peer."""
    images = made(config["detection"]["images"])
    return [row for kind in WHAT for row in _rows(kind, images, config["rounds"])]


def made(count: int) -> Images:
    """Objects of `count` images, and detections that are near them, or not; always the same."""
    draw = np.random.default_rng(0)
    return [_image(draw) for _ in range(count)]


def _image(draw: np.random.Generator) -> tuple[Kept, Kept]:
    corner, size = draw.uniform(0, [WIDTH, HEIGHT], (THERE, 2)), draw.lognormal(4, 0.8, (THERE, 2))
    labels = draw.integers(0, CLASSES, THERE)
    near = draw.integers(0, THERE, FOUND)
    spread = draw.choice([0.05, 0.3, 3.0], (FOUND, 1)) * size[near]
    found = (corner[near] + draw.normal(size=(FOUND, 2)) * spread, size[near] * draw.lognormal(0, 0.2, (FOUND, 2)))
    said = np.where(draw.random(FOUND) < 0.8, labels[near], draw.integers(0, CLASSES, FOUND))
    return _kept(said, *found, scores=draw.random(FOUND)), _kept(labels, corner, size)


def _kept(labels: np.ndarray, corner: np.ndarray, size: np.ndarray, scores: np.ndarray | None = None) -> Kept:
    """Ellipses, as far as they are in the picture."""
    start = np.clip(corner, 0, [WIDTH - 9, HEIGHT - 9])
    size = np.clip(size, 8, [WIDTH, HEIGHT] - start)
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    outline = np.stack([np.cos(angle), np.sin(angle)], 1)[None] * size[:, None] / 2 + (start + size / 2)[:, None]
    masks = rle.frPyObjects(outline.reshape(len(labels), -1).tolist(), HEIGHT, WIDTH)
    return Kept(labels, np.concatenate([start, size], 1), scores, masks, areas=rle.area(masks).astype(float))


def _rows(kind: Kind, images: Images, rounds: int) -> list[Row]:
    categories = {label: f"class {label}" for label in range(CLASSES)}
    truth, results = _dataset(images, categories), _entries(images, 0, kind)
    contestants: dict[str, Callable[[], object]] = {"ours": partial(average_precision, images, kind, categories)}
    contestants[FASTER] = partial(_evaluated, COCOeval_faster, partial(COCO, truth), results, kind)
    if installed(PYCOCOTOOLS):
        contestants[PYCOCOTOOLS] = _pycocotools(truth, results, kind)
    clocks = interleaved(contestants, rounds)
    what = f"COCO's figures of {WHAT[kind]}, {len(images):,} images of {THERE} objects, {FOUND} detections each"
    rows = [_row(what, peer, clocks) for peer in contestants if peer != "ours"]
    return rows if PYCOCOTOOLS in contestants else [*rows, Row("detection", what, PYCOCOTOOLS, missing="not installed")]


def _dataset(images: Images, categories: Mapping[int, str]) -> dict[str, Any]:
    """The truth as COCO's JSON."""
    return {
        "images": [{"id": index, "height": HEIGHT, "width": WIDTH} for index in range(1, len(images) + 1)],
        "annotations": [
            {"id": place, "iscrowd": 0, **entry} for place, entry in enumerate(_entries(images, 1, "segm"), 1)
        ],
        "categories": [{"id": label, "name": name} for label, name in categories.items()],
    }


def _entries(images: Images, side: int, kind: Kind) -> list[dict[str, Any]]:
    """What was found (side 0) or is there (1), as COCO's JSON; a result has either a box or a mask."""
    entries = []
    for index, image in enumerate(images, 1):
        kept = image[side]
        for place, label in enumerate(kept.labels.tolist()):
            entry: dict[str, Any] = {"image_id": index, "category_id": label}
            if side == 1 or kind == "bbox":
                entry["bbox"] = kept.boxes[place].tolist()
            if side == 1 or kind == "segm":
                entry["segmentation"] = kept.masks[place]
            more = {"area": float(kept.areas[place])} if side == 1 else {"score": float(kept.scores[place])}
            entries.append(entry | more)
    return entries


def _pycocotools(truth: Mapping[str, Any], results: list[dict[str, Any]], kind: Kind) -> Callable[[], object]:
    from pycocotools.coco import COCO as Theirs
    from pycocotools.cocoeval import COCOeval

    def index() -> Theirs:
        made = Theirs()
        made.dataset = truth
        made.createIndex()
        return made

    return partial(_evaluated, COCOeval, index, results, kind)


def _evaluated(evaluation: Any, index: Callable[[], Any], results: list[dict[str, Any]], kind: Kind) -> object:
    """As everybody calls them; results are copied, because loading writes into them."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = index()
        run = evaluation(truth, truth.loadRes([dict(result) for result in results]), kind)
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run.stats


def _row(what: str, peer: str, clocks: Mapping[str, Clock]) -> Row:
    theirs, ours = clocks[peer], clocks["ours"]
    wall = {"wall_theirs": theirs.wall, "wall_ours": ours.wall}
    return Row("detection", what, peer, theirs.milliseconds(), ours.milliseconds(), goal=1.0, more=wall)
