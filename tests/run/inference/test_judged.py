"""COCO results against annotations: the figures are pycocotools', and every mistake is named."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from src.run.inference.judged import judged

SIZE = [60, 80]
NAMES = {3: "cat", 7: "dog"}


def region(box: list[float]) -> dict[str, Any]:
    mask = np.zeros(SIZE, np.uint8, order="F")
    x, y, width, height = (round(value) for value in box)
    mask[y : y + height, x : x + width] = 1
    runs = rle.encode(mask)
    return {"size": SIZE, "counts": runs["counts"].decode()}


def truth(keypoints: bool = False) -> dict[str, Any]:
    """Five images of three objects, one of them a crowd."""
    rng = np.random.default_rng(0)
    annotations = []
    for image in range(1, 6):
        for index in range(3):
            box = [float(value) for value in (*rng.integers(0, 40, 2), *rng.integers(5, 20, 2))]
            x, y, width, height = box
            crowd = image == 5 and index == 2
            polygon = [[x, y, x + width, y, x + width, y + height, x, y + height]]
            annotations.append(
                {"id": len(annotations) + 1, "image_id": image, "category_id": 3 if index else 7, "bbox": box}
                | {"segmentation": region(box) if crowd else polygon, "iscrowd": int(crowd), "area": width * height}
            )
            if keypoints:
                points = [x + width / 4, y + 2, 2, x + width / 2, y + height / 2, 1, *[0] * 45]
                annotations[-1] |= {"keypoints": points, "num_keypoints": 2}
    categories = [{"id": key, "name": name} for key, name in NAMES.items()]
    if keypoints:
        for category in categories:
            category["keypoints"] = [f"point {index}" for index in range(17)]
    images = [{"id": image, "height": SIZE[0], "width": SIZE[1], "file_name": f"{image}.png"} for image in range(1, 6)]
    return {"images": images, "annotations": annotations, "categories": categories}


def results(content: dict[str, Any], *keys: str) -> list[dict[str, Any]]:
    """Most objects, a little beside where they are, and some that are not there."""
    rng = np.random.default_rng(1)
    found = []
    for entry in content["annotations"][1:] + content["annotations"][:4]:
        box = [max(0.0, value + float(rng.integers(-2, 3))) for value in entry["bbox"]]
        one = {"image_id": entry["image_id"], "category_id": entry["category_id"], "score": float(rng.random())}
        one |= {"bbox": box, "segmentation": region(box)}
        if "keypoints" in entry:
            one["keypoints"] = (np.array(entry["keypoints"]) + rng.normal(0, 0.5, 51)).tolist()
        found.append({key: one[key] for key in ("image_id", "category_id", "score", *keys)})
    return found


def written(folder: Path, content: Any, found: Any) -> tuple[Path, Path]:
    paths = folder / "results.json", folder / "annotations.json"
    for path, part in zip(paths, (found, content), strict=True):
        path.write_text(json.dumps(part))
    return paths


def expected(paths: tuple[Path, Path], kind: str) -> list[float]:
    """pycocotools' twelve figures, of ten for keypoints."""
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO(str(paths[1]))
        found = json.loads(paths[0].read_text())
        if kind == "segm":
            found = [{key: value for key, value in entry.items() if key != "bbox"} for entry in found]
        if kind == "keypoints":
            found = [
                {key: value for key, value in entry.items() if key not in ("bbox", "segmentation")} for entry in found
            ]
        run = COCOeval(reference, reference.loadRes(found), kind)
        if kind == "keypoints":
            run.params.kpt_oks_sigmas = np.full(17, 0.05)
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run.stats.tolist()


@pytest.mark.parametrize(
    ("keys", "keypoints", "kinds"),
    [
        (("bbox",), False, {"bbox": "box/"}),
        (("segmentation",), False, {"segm": ""}),
        (("bbox", "segmentation"), False, {"segm": "", "bbox": "box/"}),
        (("bbox", "segmentation", "keypoints"), True, {"keypoints": "", "segm": "mask/", "bbox": "box/"}),
    ],
)
def test_the_figures_are_those_of_pycocotools(
    tmp_path: Path, keys: tuple[str, ...], keypoints: bool, kinds: dict[str, str]
) -> None:
    content = truth(keypoints)
    paths = written(tmp_path, content, results(content, *keys))
    found = judged(*paths)
    scores = found["scores"]
    assert (found["images"], found["results"], found["empty"]) == (5, 18, 0)
    assert tuple(scores)[:2] == ("score", f"{next(iter(kinds.values()))}ap")
    assert {key.rpartition("/")[0] for key in scores if key.endswith("ap")} == {
        prefix.rstrip("/") for prefix in kinds.values()
    }
    for kind, prefix in kinds.items():
        names = ["ap", "ap50", "ap75", "ap_medium", "ap_large", "ar"]
        figures = expected(paths, kind)
        places = [0, 1, 2, 3, 4, 5] if kind == "keypoints" else [0, 1, 2, 4, 5, 8]
        wanted = [figures[place] if figures[place] >= 0 else float("nan") for place in places]
        assert [scores[prefix + name] for name in names] == pytest.approx(wanted, abs=1e-9, nan_ok=True)
        assert 0 < scores[prefix + "ap"] < 1


def test_images_without_results_count_as_missed_and_are_counted(tmp_path: Path) -> None:
    content = truth()
    exact = [entry | {"score": 0.5} for entry in content["annotations"] if not entry["iscrowd"]]
    exact = [{key: value for key, value in entry.items() if key != "segmentation"} for entry in exact]
    assert judged(*written(tmp_path, content, exact))["scores"]["box/ap"] == pytest.approx(1)
    part = [entry for entry in exact if entry["image_id"] != 2]
    found = judged(*written(tmp_path, content, part))
    assert found["empty"] == 1
    assert found["scores"]["box/ar"] == pytest.approx((8 / 9 + 4 / 5 * 0 + 4 / 5) / 2, abs=0.06)
    assert judged(*written(tmp_path, content, []))["scores"]["ap"] == 0


def test_a_category_without_keypoints_has_no_figure_for_them(tmp_path: Path) -> None:
    content = truth(keypoints=True)
    found = results(content, "bbox", "keypoints")
    content["categories"].append({"id": 9, "name": "ball"})
    content["annotations"].append({"id": 99, "image_id": 1, "category_id": 9, "bbox": [1, 2, 3, 4], "area": 12})
    scores = judged(*written(tmp_path, content, found))["scores"]
    assert scores["box/ap/ball"] == 0
    assert "ap/cat" in scores
    assert "ap/ball" not in scores


def test_run_lengths_may_be_numbers(tmp_path: Path) -> None:
    content = truth()
    found = results(content, "segmentation")
    before = judged(*written(tmp_path, content, found))["scores"]
    for entry in [*found, content["annotations"][-1]]:
        flat = rle.decode(entry["segmentation"]).ravel(order="F")
        edges = np.flatnonzero(np.diff(np.concatenate([[0], flat]))).tolist()
        counts = np.diff([0, *edges, flat.size]).tolist()
        entry["segmentation"] = {"size": SIZE, "counts": counts}
    assert judged(*written(tmp_path, content, found))["scores"] == pytest.approx(before, nan_ok=True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"image_id": 99}, r"result 0 has image_id 99, which annotations\.json does not list: predict with coco="),
        ({"image_id": [1]}, r"result 0 has image_id \[1\], which"),
        ({"category_id": "cat"}, "result 0 has category_id 'cat', which"),
        ({"score": "high"}, "result 0 has the score 'high': give a number"),
        ({"score": True}, "result 0 has the score True"),
        ({"bbox": [1, 2, 3]}, r"result 0: its bbox is \[1, 2, 3\]: give x, y, width and height"),
        ({"bbox": [1, 2, -3, 4]}, "result 0: its bbox"),
        (
            {"segmentation": {"size": [80, 60], "counts": "0"}},
            r"its segmentation is of size \[80, 60\], its image \[60, 80",
        ),
        ({"segmentation": {"size": SIZE, "counts": "a b"}}, "has the counts 'a b': give numbers"),
        ({"segmentation": [[1, 2, 3, 4]]}, "give run lengths, or polygons of three corners or more"),
        ({"keypoints": [1, 2]}, r"its keypoints are \[1, 2\]: give x, y and visibility"),
        ({"keypoints": [1, 2, 2]}, "result 1 has no keypoints, and 1 others have one"),
    ],
)
def test_results_that_do_not_fit_are_named(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    content = truth()
    found = results(content, "bbox", "segmentation")
    found[0] |= change
    with pytest.raises(ValueError, match=reason):
        judged(*written(tmp_path, content, found))


@pytest.mark.parametrize(
    ("part", "change", "reason"),
    [
        ("annotations", {"image_id": 9}, "annotation 1 has image_id 9, which the file does not list"),
        ("annotations", {"category_id": 9}, "annotation 1 has category_id 9"),
        ("annotations", {"segmentation": [[1, 2]]}, "annotation 1: its segmentation is"),
        ("annotations", {"segmentation": []}, "annotation 1 has no segmentation, and others have one: add it"),
        ("annotations", {"id": 2}, "the id 2 stands 2 times in its annotations"),
        ("images", {"id": 2}, "the id 2 stands 2 times in its images"),
    ],
)
def test_annotations_that_do_not_fit_are_named(tmp_path: Path, part: str, change: dict, reason: str) -> None:
    content = truth()
    found = results(content, "segmentation")
    content[part][0] |= change
    with pytest.raises(ValueError, match=reason):
        judged(*written(tmp_path, content, found))


def test_other_files_are_told_apart(tmp_path: Path) -> None:
    content = truth()
    right = results(content, "bbox")
    with pytest.raises(ValueError, match="it is an annotation file: give it as target"):
        judged(*written(tmp_path, content, content))
    with pytest.raises(ValueError, match="COCO results are a list of detections"):
        judged(*written(tmp_path, content, {"score": 1}))
    with pytest.raises(ValueError, match="has no list of images"):
        judged(*written(tmp_path, right, right))
    with pytest.raises(ValueError, match="number 0 of its annotations has no image_id"):
        judged(*written(tmp_path, {**content, "annotations": [{"category_id": 3}]}, right))
    boxless = {**content, "annotations": [{"image_id": 1, "category_id": 3}]}
    with pytest.raises(ValueError, match=r"has bbox, target=.* has nothing: there is nothing to compare"):
        judged(*written(tmp_path, boxless, right))
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(ValueError, match=r"prediction=.*results\.json: is no JSON"):
        judged(tmp_path / "results.json", tmp_path / "annotations.json")


def test_the_real_annotations_of_coco_score_themselves_perfectly(shared: Path, tmp_path: Path) -> None:
    """Polygons, run lengths and crowds of people with keypoints, as published."""
    path = shared / "coco-mini" / "annotations" / "person_keypoints_val2017.json"
    exact = [
        {**entry, "score": 0.9}
        for entry in json.loads(path.read_text())["annotations"]
        if not entry["iscrowd"] and entry["num_keypoints"]
    ]
    (tmp_path / "results.json").write_text(json.dumps(exact))
    scores = judged(tmp_path / "results.json", path)["scores"]
    assert scores["score"] == scores["ap"] > 0.98
    assert min(scores["mask/ap75"], scores["box/ap75"]) > 0.5, "people without keypoints are missed"
