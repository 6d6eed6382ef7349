"""Objects counted by hand, and those that are hardly meant."""

import json
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

from src.data.description import Description
from src.data.sample import Instances
from src.doctor import doctor
from src.run import cli
from src.run.diagnosis.objects import Objects, oddities, summed

PEOPLE = Description(
    ("image", "instances"), ("nobody", "person", "dog"), ((0, 0, 0),) * 3, ("person", "dog"), 3, (0.0, 255.0), False,
    ("nose", "toe"), (), (0.1, 0.1),
)  # fmt: skip


def made(boxes: list[list[int]], labels: list[int], **more: object) -> Instances:
    masks = torch.zeros(len(boxes), 200, 200, dtype=torch.bool)
    for mask, (left, top, right, bottom) in zip(masks, boxes, strict=True):
        mask[top:bottom, left:right] = True
    return Instances(
        torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), torch.tensor(labels, dtype=torch.int64), masks, **more
    )


def test_counts_by_hand() -> None:
    keypoints = torch.tensor([[[5.0, 5, 2], [0, 0, 0]], [[5.0, 5, 1], [6, 6, 2]], [[0.0, 0, 0], [0, 0, 0]]])
    boxes = [[0, 0, 31, 33], [0, 0, 32, 32], [0, 0, 96, 96]]
    first = made(boxes, [1, 1, 2], keypoints=keypoints, crowd=torch.tensor([False, False, False]))
    second = made([[0, 0, 9, 9], [0, 0, 200, 200]], [1, 1], crowd=torch.tensor([True, False]))
    none = made([], [])
    found = summed([Objects.of(one) for one in (first, second, none)], PEOPLE)
    assert (found["objects"], found["crowds"], found["without"]) == (5, 1, pytest.approx(1 / 3))
    assert found["per_image"] == {"min": 0, "median": 2, "max": 3}
    assert found["sizes"] == {"small": 1, "medium": 1, "large": 2}  # 1,023 pixels, 1,024, 9,216 and 40,000
    assert found["classes"] == {"person": {"objects": 4, "images": 2}, "dog": {"objects": 1, "images": 1}}
    assert found["keypoints"] == pytest.approx({"nose": 2 / 5, "toe": 1 / 5})


def test_the_annotations_own_area_decides_where_there_is_one() -> None:
    objects = made([[0, 0, 100, 100]], [1], areas=torch.tensor([9.0]))
    assert Objects.of(objects).sizes == [0]


def test_empty_masks_and_twins_are_named() -> None:
    boxes = [[0, 0, 50, 50], [0, 0, 50, 49], [0, 0, 50, 50], [60, 60, 90, 90]]
    objects = made(boxes, [1, 1, 2, 1])
    objects.masks[3] = False
    assert oddities("a", Objects.of(objects)) == [
        "a: object 3 has no pixel",
        "a: objects 0 and 1 are one, annotated twice",
    ]
    objects.masks[1, :25] = False  # the boxes alone are alike
    assert Objects.of(objects).twins == []
    crowd = torch.tensor([True, False, False, False])
    assert Objects.of(made(boxes, [1, 1, 2, 1], crowd=crowd)).twins == []


def test_the_doctor_counts_and_lists_them(shared, tmp_path, capsys) -> None:
    words = ["data=coco", f"data.root={shared / 'coco-mini'}", "data.workers=0", "splits=[val]"]
    doctor(cli.compose("doctor", [*words, f"output={tmp_path / 'found.json'}"]))
    found = json.loads((tmp_path / "found.json").read_text())["splits"]["val"]["objects"]
    content = json.loads((shared / "coco-mini/annotations/instances_val2017.json").read_text())
    names = {one["id"]: one["name"] for one in content["categories"]}
    counts = Counter(names[one["category_id"]] for one in content["annotations"])
    assert {name: one["objects"] for name, one in found["classes"].items() if one["objects"]} == counts
    areas = np.array([one["area"] for one in content["annotations"] if not one["iscrowd"]])
    assert list(found["sizes"].values()) == np.histogram(areas, [0, 32**2, 96**2, 1e9])[0].tolist()
    assert found["crowds"] == sum(one["iscrowd"] for one in content["annotations"])
    assert "images without" in capsys.readouterr().out


def test_a_box_outside_the_image_is_a_fault(tmp_path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "1.png")
    images = [{"id": 1, "file_name": "1.png", "height": 30, "width": 40}]
    said = [{"id": 9, "image_id": 1, "category_id": 1, "bbox": [50, 5, 20, 5]}]
    content = {"images": images, "annotations": said, "categories": [{"id": 1, "name": "dog"}]}
    (tmp_path / "train.json").write_text(json.dumps(content))
    words = ["data=coco", f"data.root={tmp_path}", 'data.file="{split}.json"', "data.workers=0", "splits=[train]"]
    with pytest.raises(ValueError, match="1 fault"):
        doctor(cli.compose("doctor", [*words, f"output={tmp_path / 'found.json'}"]))
    (fault,) = json.loads((tmp_path / "found.json").read_text())["faults"]
    assert "annotation 9 cannot be used: its bbox [50, 5, 20, 5] is not within the image, 30x40" in fault["reason"]
