"""Panoptic results against COCO's annotations: the figures by hand, and every mistake named."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.data.segments import spelled
from src.run.inference.panoptic import panoptic

CATEGORIES = [{"id": 7, "name": "cat", "isthing": 1}, {"id": 200, "name": "grass", "isthing": 0}]
# Two cats and grass. One cat is found with IoU 3/4, the other and a pixel of the first is taken for grass: 8/13.
TRUTH = {"a": ([[300] * 4 + [5] * 8 + [70_000] * 4], {300: 7, 5: 200, 70_000: 7})}
FOUND = {"a": ([[1] * 3 + [2] * 13], {1: 7, 2: 200})}
BY_HAND = {"cat": (3 / 4) / (1 + 1 / 2), "grass": 8 / 13}


def annotated(path: Path, images: dict, categories: list | None = None, **more: object) -> Path:
    """A panoptic JSON with its PNGs; `more` is said of every segment."""
    said = []
    for name, (ids, segments) in images.items():
        file = path.with_suffix("") / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(spelled(np.array(ids))).save(file)
        listed = [{"id": key, "category_id": category, **more} for key, category in segments.items()]
        said.append({"image_id": 1, "file_name": f"{name}.png", "segments_info": listed})
    path.write_text(json.dumps({"annotations": said, "categories": categories or CATEGORIES}))
    return path


def predicted(folder: Path, mask: np.ndarray, ids: np.ndarray, classes: tuple[str, ...] = ("cat", "grass")) -> Path:
    """What src.predict leaves with objects=true."""
    (folder / "objects").mkdir(parents=True)
    Image.fromarray(mask.astype(np.uint8)).save(folder / "a.png")
    Image.fromarray(ids.astype(np.uint16)).save(folder / "objects/a.png")
    listed = [{"index": index, "name": name} for index, name in enumerate(classes)]
    files = [{"name": "a", "status": "written"}, {"name": "readme", "status": "ignored"}]
    (folder / "predictions.json").write_text(json.dumps({"classes": listed, "files": files}))
    return folder


def test_by_hand_from_a_json(tmp_path: Path) -> None:
    found = panoptic(annotated(tmp_path / "found.json", FOUND), annotated(tmp_path / "truth.json", TRUTH))
    scores = found["scores"]
    assert (found["classes"], found["images"]) == (["cat", "grass"], 1)
    assert {name: scores[f"pq/{name}"] for name in BY_HAND} == pytest.approx(BY_HAND)
    assert scores["score"] == scores["pq"] == pytest.approx(sum(BY_HAND.values()) / 2)
    assert (scores["sq_things"], scores["rq_things"]) == pytest.approx((3 / 4, 2 / 3))


def test_by_hand_from_a_folder_of_predictions_whose_classes_are_in_another_order(tmp_path: Path) -> None:
    mask, ids = np.array([[1] * 3 + [0] * 13]), np.array([[9] * 3 + [0] * 13])
    folder = predicted(tmp_path / "out", mask, ids, ("grass", "cat", "background"))
    scores = panoptic(folder, annotated(tmp_path / "truth.json", TRUTH))["scores"]
    assert {name: scores[f"pq/{name}"] for name in BY_HAND} == pytest.approx(BY_HAND)


def test_a_thing_too_small_to_be_an_object_is_no_answer(tmp_path: Path) -> None:
    truth = annotated(tmp_path / "truth.json", {"a": ([[5] * 16], {5: 200})})
    mask, ids = np.array([[0] * 4 + [1] * 12]), np.zeros((1, 16))
    scores = panoptic(predicted(tmp_path / "out", mask, ids), truth)["scores"]
    assert (scores["pq/grass"], scores["pq/cat"]) == (pytest.approx(3 / 4), pytest.approx(float("nan"), nan_ok=True))


def test_a_crowd_is_unknown(tmp_path: Path) -> None:
    truth = annotated(tmp_path / "truth.json", TRUTH, iscrowd=1)
    assert np.isnan(panoptic(annotated(tmp_path / "found.json", FOUND), truth)["scores"]["pq"])


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({}, "no prediction for a"),
        ({**FOUND, "b": FOUND["a"]}, "no target for b"),
        ({"a": ([[1] * 3], {1: 7})}, r"a: the prediction is 1x3 \(height x width\), its target 1x16"),
        ({"a": ([[1] * 15 + [9]], {1: 7})}, r"a\.png holds segments \[9\], which .*found\.json does not list"),
        ({"a": ([[1] * 16], {1: 8})}, r"found\.json: a has the categories \[8\], which it does not list"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, found: dict, message: str) -> None:
    truth = annotated(tmp_path / "truth.json", TRUTH)
    with pytest.raises(ValueError, match=rf"found\.json: 1 images cannot be scored:\n.*{message}"):
        panoptic(annotated(tmp_path / "found.json", found), truth)


def test_what_is_no_panoptic_result_is_named(tmp_path: Path) -> None:
    truth = annotated(tmp_path / "truth.json", TRUTH)
    strange = annotated(tmp_path / "found.json", FOUND, [CATEGORIES[1], {"id": 7, "name": "dog"}])
    with pytest.raises(ValueError, match=r"has the classes \['dog'\], which .*truth\.json lacks"):
        panoptic(strange, truth)
    with pytest.raises(ValueError, match=r"has no predictions\.json of src\.predict"):
        panoptic(tmp_path, truth)
    folder = predicted(tmp_path / "out", np.zeros((1, 16)), np.zeros((1, 16)))
    (folder / "objects/a.png").unlink()
    with pytest.raises(ValueError, match=r"objects/a\.png cannot be read: there is no such file"):
        panoptic(folder, truth)
    (folder / "objects").rmdir()
    with pytest.raises(ValueError, match="predict with objects=true"):
        panoptic(folder, truth)
    (tmp_path / "boxes.json").write_text(json.dumps({"annotations": [{"id": 1}], "categories": CATEGORIES}))
    with pytest.raises(ValueError, match=re.escape(f"target={tmp_path}/boxes.json: is no panoptic JSON of COCO")):
        panoptic(folder, tmp_path / "boxes.json")
