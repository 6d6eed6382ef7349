"""COCO's figures against pycocotools, on real annotations and on made ones with every corner they have."""

import contextlib
import copy
import gc
import io
import json
import math
from typing import Any

import numpy as np
import pytest
from faster_coco_eval.core import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from src.metric.coco import evaluated

SHAPES = ["ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large"]
SHAPES += ["ar1", "ar10", "ar", "ar_small", "ar_medium", "ar_large"]
POINTS = ["ap", "ap50", "ap75", "ap_medium", "ap_large", "ar", "ar50", "ar75", "ar_medium", "ar_large"]
SIGMAS = [0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072, 0.062, 0.062, 0.107, 0.107]
SIGMAS += [0.087, 0.087, 0.089, 0.089]
Json = dict[str, Any]


def ours(truth: Json, results: list[Json], kind: str) -> dict[str, float]:
    categories = {category["id"]: category["name"] for category in truth["categories"]}
    sigmas = SIGMAS if kind == "keypoints" else ()
    given = copy.deepcopy((truth, results))
    found = evaluated(truth["images"], truth["annotations"], results, kind, categories=categories, sigmas=sigmas)
    assert (truth, results) == given  # nothing was written into
    return found


def theirs(truth: Json, results: list[Json], kind: str) -> dict[str, float]:
    """pycocotools' own figures, and those of each class from its table of precisions; NaN in place of -1."""
    with contextlib.redirect_stdout(io.StringIO()):
        index = COCO()
        index.dataset = copy.deepcopy(truth)
        index.createIndex()
        run = COCOeval(index, index.loadRes(copy.deepcopy(results)), kind)
        run.evaluate()
        run.accumulate()
        run.summarize()
    figures = dict(zip(POINTS if kind == "keypoints" else SHAPES, run.stats.tolist(), strict=True))
    names = {category["id"]: category["name"] for category in truth["categories"]}
    for place, category in enumerate(run.params.catIds):
        values = run.eval["precision"][:, :, place, 0, -1]
        figures[f"ap/{names[category]}"] = values[values > -1].mean() if (values > -1).any() else -1
    return {name: math.nan if value == -1 else value for name, value in figures.items()}


def detections(truth: Json, kind: str, seed: int, decimals: int) -> list[Json]:
    """None, one or two for each annotation, moved a little, some of them of a class that is wrong; scores tie."""
    draw, categories = np.random.default_rng(seed), [category["id"] for category in truth["categories"]]
    sizes = {image["id"]: (image["height"], image["width"]) for image in truth["images"]}
    results = []
    for entry in [one for one in truth["annotations"] for _ in range(draw.integers(0, 3))]:
        label = entry["category_id"] if draw.random() < 0.9 else int(draw.choice(categories))
        spread = draw.choice([0.02, 0.2, 1]) * np.sqrt(entry["area"])
        result = {"image_id": entry["image_id"], "category_id": label, "score": round(draw.random(), decimals)}
        if kind == "bbox":
            result["bbox"] = (np.array(entry["bbox"]) + draw.normal(size=4) * spread / 4).tolist()
        elif kind == "keypoints":
            moved = np.reshape(entry["keypoints"], (-1, 3)) + draw.normal(size=(17, 3)) * spread / 4
            result["keypoints"] = moved.flatten().tolist()
        else:
            runs = rle.segmToRle(entry["segmentation"], *sizes[entry["image_id"]][::-1])
            moved = np.roll(rle.decode(runs), tuple(int(step) for step in draw.normal(size=2) * spread / 4), (0, 1))
            result["segmentation"] = rle.encode(np.asfortranarray(moved))
        results.append(result)
    return results


def made(seed: int) -> Json:
    """Images with and without objects; crowds, objects without a labelled keypoint, a class that never occurs."""
    draw = np.random.default_rng(seed)
    images = [{"id": 3 * index + 7, "height": 60, "width": 80} for index in range(6)]
    annotations = []
    for image in images[1:]:
        for _ in range(draw.integers(0, 6)):
            x, y = draw.integers(0, [70, 50])
            width, height = draw.integers(2, [80 - x, 60 - y], endpoint=True)
            mask = np.zeros((60, 80), np.uint8, order="F")
            mask[y : y + height, x : x + width] = draw.random((height, width)) < 0.9
            points = np.concatenate([draw.uniform([x, y], [x + width, y + height], (17, 2)), np.zeros((17, 1))], 1)
            points[:, 2] = draw.integers(0, 3, 17) * draw.integers(0, 2)
            entry = {"id": len(annotations) + 1, "image_id": image["id"], "category_id": int(draw.choice([2, 5]))}
            entry |= {"bbox": [float(x), float(y), float(width), float(height)], "segmentation": rle.encode(mask)}
            entry |= {"area": float(mask.sum()) * draw.choice([1, 8]), "iscrowd": int(draw.random() < 0.2)}
            entry |= {"keypoints": points.flatten().tolist(), "num_keypoints": int((points[:, 2] > 0).sum())}
            annotations.append(entry)
    categories = [{"id": key, "name": name} for key, name in ((5, "cat"), (2, "dog"), (9, "cow"))]
    return {"images": images, "annotations": annotations, "categories": categories}


def check(truth: Json, results: list[Json], kind: str) -> dict[str, float]:
    found, expected = ours(truth, results, kind), theirs(truth, results, kind)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-6, nan_ok=True), name
    return found


@pytest.mark.parametrize(
    ("kind", "file"), [("bbox", "instances"), ("segm", "instances"), ("keypoints", "person_keypoints")]
)
@pytest.mark.parametrize("split", ["train", "val"])
def test_real_annotations_score_as_with_pycocotools(shared, kind: str, file: str, split: str) -> None:
    truth = json.loads((shared / "coco-mini" / "annotations" / f"{file}_{split}2017.json").read_text())
    assert any(entry["iscrowd"] for entry in truth["annotations"])
    found = check(truth, detections(truth, kind, seed=1, decimals=9), kind)
    assert 0.05 < found["ap"] < 0.9
    assert all(0 < found[name] < 1 for name in ("ap_medium", "ap_large", "ar"))


@pytest.mark.parametrize("kind", ["bbox", "segm", "keypoints"])
def test_made_annotations_score_as_with_pycocotools(kind: str) -> None:
    """With scores that tie within an image and between images, crowds, and areas that are not the masks'."""
    headlines = []
    for seed in range(25):
        truth = made(seed)
        results = detections(truth, kind, seed, decimals=1)
        if results:
            found = check(truth, results, kind)
            assert math.isnan(found["ap/cow"])
            headlines.append(found["ap"])
    assert len(set(headlines)) > 15


@pytest.mark.parametrize(("kind", "limit"), [("bbox", 100), ("keypoints", 20)])
def test_at_most_so_many_detections_count(kind: str, limit: int) -> None:
    """The right one is the least certain, behind as many wrong ones as are looked at, or one less."""
    entry = {"image_id": 1, "category_id": 1, "bbox": [0.0, 0.0, 40.0, 40.0], "keypoints": [5.0, 5.0, 2.0] * 17}
    image = {"id": 1, "height": 60, "width": 80}
    truth = {"images": [image], "categories": [{"id": 1, "name": "cat"}]}
    truth["annotations"] = [entry | {"id": 1, "area": 1600.0, "iscrowd": 0, "num_keypoints": 17}]
    far = {"bbox": [50.0, 50.0, 5.0, 5.0], "keypoints": [900.0, 900.0, 2.0] * 17}
    keys = ("image_id", "category_id", kind)
    for wrong, expected in ((limit - 1, 1), (limit, 0)):
        results = [entry | far | {"score": 0.9}] * wrong + [entry | {"score": 0.1}]
        results = [{key: result[key] for key in (*keys, "score")} for result in results]
        assert check(truth, results, kind)["ar"] == expected


def test_masks_are_of_their_own_size_whatever_box_a_result_has() -> None:
    """A thin diagonal is small in pixels, while its box is large: a miss of another size is none."""
    diagonal = np.zeros((200, 200), np.uint8, order="F")
    np.fill_diagonal(diagonal, 1)
    other = np.zeros((200, 200), np.uint8, order="F")
    other[:120, 100:] = 1
    image = {"id": 1, "height": 200, "width": 200}
    truth = {"image_id": 1, "category_id": 1, "segmentation": rle.encode(other), "bbox": [100.0, 0, 100, 120]}
    wrong = {"image_id": 1, "category_id": 1, "segmentation": rle.encode(diagonal), "score": 0.9}
    right = truth | {"score": 0.5}
    results = [wrong | {"bbox": [0.0, 0.0, 200.0, 200.0]}, right]
    found = evaluated([image], [truth], results, "segm", categories={1: "cat"})
    assert (found["ap"], found["ap_large"]) == (pytest.approx(0.5), pytest.approx(1))


def test_nothing_there_is_nan_and_nothing_found_is_zero() -> None:
    image, categories = {"id": 1, "height": 9, "width": 9}, {1: "cat", 4: "dog"}
    entry = {"image_id": 1, "category_id": 1, "bbox": [1.0, 1.0, 5.0, 5.0]}
    nothing = evaluated([], [], [], "bbox", categories=categories)
    assert all(math.isnan(value) for value in nothing.values())
    assert list(nothing)[:6] == SHAPES[:6]
    only_found = evaluated([image], [], [entry | {"score": 1.0}], "bbox", categories=categories)
    assert only_found.keys() == nothing.keys()
    assert all(math.isnan(value) for value in only_found.values())
    missed = evaluated([image], [entry], [], "bbox", categories=categories)
    assert (missed["ap"], missed["ap_small"], missed["ar"], missed["ap/cat"]) == (0, 0, 0, 0)
    assert all(math.isnan(missed[name]) for name in ("ap_medium", "ap_large", "ap/dog"))


def test_a_class_without_objects_does_not_count_however_often_it_is_found() -> None:
    image, entry = {"id": 1}, {"image_id": 1, "category_id": 1, "bbox": [1.0, 1.0, 5.0, 5.0]}
    results = [entry | {"score": 0.5}, *[entry | {"score": 0.9, "category_id": 4}] * 5]
    assert evaluated([image], [entry], results, "bbox", categories={1: "cat", 4: "dog"})["ap"] == pytest.approx(1)


def test_results_of_other_images_or_categories_and_other_sigmas_are_refused() -> None:
    image, entry = {"id": 1}, {"image_id": 1, "category_id": 1, "bbox": [1.0, 1.0, 5.0, 5.0], "score": 0.5}
    with pytest.raises(ValueError, match=r"1 values of image_id in the results .* such as 8"):
        evaluated([image], [], [entry, entry | {"image_id": 8}], "bbox", categories={1: "cat"})
    with pytest.raises(ValueError, match=r"1 values of category_id in the results .* such as 3"):
        evaluated([image], [], [entry | {"category_id": 3}], "bbox", categories={1: "cat"})
    person = entry | {"keypoints": [1.0, 1.0, 2.0] * 14}
    with pytest.raises(ValueError, match=r"objects have \[14\] keypoints and there are 17 sigmas"):
        evaluated([image], [person], [], "keypoints", categories={1: "cat"}, sigmas=SIGMAS)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_as_it_was(enabled: bool) -> None:
    before = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        with pytest.raises(ValueError, match="image_id"):
            evaluated([], [], [{"image_id": 8}], "bbox", categories={})
        evaluated([], [], [], "bbox", categories={1: "cat"})
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if before else gc.disable)()
