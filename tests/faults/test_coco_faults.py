"""Annotation files as people make them: whatever is wrong with one is said with its id, all of it in one pass."""

import json
from pathlib import Path

import pytest
from PIL import Image

from src.doctor import doctor
from src.run import cli

SQUARE = {"category_id": 90, "segmentation": [[1, 1, 3, 1, 3, 3, 1, 3]], "bbox": [1, 1, 2, 2], "iscrowd": 0}
CROWD = {"category_id": 1, "segmentation": {"size": [6, 8], "counts": [40, 8]}, "bbox": [6, 4, 2, 2], "iscrowd": 1}
FAULTS = {  # by the id of the annotation
    21: ({"id": 20}, "annotation id 20: given twice"),
    22: ({"category_id": 3}, "annotation 22 (category 3): of an unknown category"),
    23: ({"image_id": 77}, "annotation 23 (image 77): of an unknown image"),
    24: ({"segmentation": [[1, 1, 3, 1]]}, "annotation 24 cannot be used: its polygon [1, 1, 3, 1]"),
    25: ({"bbox": [1, 1, 0, 2]}, "annotation 25 cannot be used: its bbox [1, 1, 0, 2] has a width of 0"),
    26: ({"segmentation": {"size": [8, 6], "counts": [48]}}, "annotation 26 cannot be used: its run lengths are for"),
}


def made(folder: Path, annotations: list[dict]) -> list[str]:
    """Three images, of which each annotation names one; the words that a command reads them with."""
    images = [{"id": key, "file_name": f"{key}.png", "height": 6, "width": 8} for key in (5, 9, 11)]
    for one in images:
        Image.new("RGB", (8, 6), (one["id"], 0, 0)).save(folder / one["file_name"])
    categories = [{"id": 90, "name": "brush"}, {"id": 1, "name": "person"}]
    content = {"images": images, "categories": categories, "annotations": annotations}
    (folder / "train.json").write_text(json.dumps(content))
    return ["data=coco", f"data.root={folder}", 'data.file="{split}.json"', "splits=[train]", "data.workers=0"]


def examined(folder: Path, words: list[str]) -> None:
    doctor(cli.compose("doctor", [*words, f"output={folder / 'found.json'}"]))


def test_every_fault_of_a_file_is_listed_with_its_id(tmp_path: Path) -> None:
    sound = [{"id": 20, "image_id": 5, **SQUARE}, {"id": 30, "image_id": 5, **CROWD}]
    wrong = [{"id": key, "image_id": 9, **SQUARE, **change} for key, (change, _) in FAULTS.items()]
    words = made(tmp_path, [*sound, *wrong])
    with pytest.raises(ValueError, match=r"4 faults, listed above"):
        examined(tmp_path, words)
    found = json.loads((tmp_path / "found.json").read_text())
    said = "\n".join(fault["reason"] for fault in found["faults"])
    for _, expected in FAULTS.values():
        assert expected in said
    assert (found["splits"]["train"]["samples"], found["splits"]["train"]["usable"]) == (3, 2)


def test_sparse_categories_crowds_and_images_without_objects_are_no_faults(tmp_path: Path) -> None:
    words = made(tmp_path, [{"id": 20, "image_id": 5, **SQUARE}, {"id": 30, "image_id": 9, **CROWD}])
    examined(tmp_path, words)
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["faults"], list(found["splits"]["train"]["classes"])) == ([], ["background", "person", "brush"])


def test_objects_without_masks_are_examined_too(tmp_path: Path) -> None:
    boxes = {"image_id": 5, "category_id": 90, "bbox": [1, 1, 2, 2]}
    examined(tmp_path, made(tmp_path, [{"id": 20, **boxes}]))
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["splits"]["train"]["usable"], found["splits"]["train"]["classes"]) == (3, {})
