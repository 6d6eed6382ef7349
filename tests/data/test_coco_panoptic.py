import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.data.coco_panoptic import COCOPanoptic
from src.data.interface import Dataset, MissingSplit

CATEGORIES = [
    {"id": 1, "name": "person", "isthing": 1},
    {"id": 200, "name": "wall", "isthing": 0},
    {"id": 92, "name": "banner", "isthing": 0},
]
SEGMENTS = [
    {"id": 5, "category_id": 1, "iscrowd": 0},
    {"id": 70_000, "category_id": 200, "iscrowd": 0},
    {"id": 300, "category_id": 1, "iscrowd": 1},
]
IDS = np.array([[0, 5, 5], [70_000, 70_000, 300]])


def made(folder: Path, ids: np.ndarray = IDS, **annotation: object) -> Path:
    for part in ("train2017", "annotations/panoptic_train2017"):
        (folder / part).mkdir(parents=True)
    Image.new("L", (3, 2)).save(folder / "train2017/9.jpg")
    digits = np.stack([ids % 256, ids // 256 % 256, ids // 256**2], -1).astype(np.uint8)
    Image.fromarray(digits).save(folder / "annotations/panoptic_train2017/9.png")
    said = {"image_id": 9, "file_name": "9.png", "segments_info": SEGMENTS} | annotation
    images = [{"id": 9, "file_name": "9.jpg", "height": 2, "width": 3}]
    content = {"images": images, "categories": CATEGORIES, "annotations": [said]}
    (folder / "annotations/panoptic_train2017.json").write_text(json.dumps(content))
    return folder


def test_things_and_stuff_and_what_is_unknown(tmp_path: Path) -> None:
    dataset = COCOPanoptic(made(tmp_path), "train")
    assert isinstance(dataset, Dataset)
    sample = dataset[0]
    assert sample.mask.tolist() == [[255, 0, 0], [2, 2, 255]]
    assert (sample.name, sample.image.shape) == ("9", (3, 2, 3))
    description = dataset.describe()
    assert (description.classes, description.things) == (("person", "banner", "wall"), ("person",))
    assert [Path(file).name for file in dataset.files(0)] == ["9.jpg", "9.png", "panoptic_train2017.json"]


def test_a_segment_that_the_json_lacks_is_named(tmp_path: Path) -> None:
    root = made(tmp_path, np.where(IDS == 5, 6, IDS))
    with pytest.raises(
        ValueError, match=r"9\.png holds segments \[6\], which .*panoptic_train2017\.json does not list"
    ):
        COCOPanoptic(root, "train")[0]


def test_things_are_objects_and_crowds_among_them(tmp_path: Path) -> None:
    dataset = COCOPanoptic(made(tmp_path), "train")
    assert dataset.describe().fields == ("image", "mask", "instances")
    found = dataset[0].instances
    assert (found.labels.tolist(), found.crowd.tolist(), found.areas.tolist()) == ([0, 0], [False, True], [2, 1])
    assert found.boxes.tolist() == [[1, 0, 3, 1], [2, 1, 3, 2]]
    assert (found.masks.numpy() == [IDS == 5, IDS == 300]).all()


def test_a_segment_that_the_png_lacks_is_named(tmp_path: Path) -> None:
    root = made(tmp_path / "a", np.where(IDS == 5, 0, IDS))
    with pytest.raises(ValueError, match=r"9\.png lacks segments \[5\], which .*panoptic_train2017\.json lists for it"):
        COCOPanoptic(root, "train")[0]
    root = made(tmp_path / "b", segments_info=[*SEGMENTS, SEGMENTS[0]])
    with pytest.raises(ValueError, match=r"train2017\.json lists two segments of one id for .*9\.png"):
        COCOPanoptic(root, "train")[0]


def test_what_does_not_fit_together(tmp_path: Path) -> None:
    with pytest.raises(MissingSplit, match=r"panoptic_val2017\.json"):
        COCOPanoptic(made(tmp_path / "a"), "val")
    strange = [{"id": 5, "category_id": 3}]
    with pytest.raises(ValueError, match=r"annotation of image 9 \(category 3\)"):
        COCOPanoptic(made(tmp_path / "b", segments_info=strange), "train")
    with pytest.raises(ValueError, match=r"1 of an unknown image: annotation of image 10 \(image 10\)"):
        COCOPanoptic(made(tmp_path / "c", image_id=10), "train")
    with pytest.raises(ValueError, match=r"1 missing: .*8\.png"):
        COCOPanoptic(made(tmp_path / "d", file_name="8.png"), "train")
    root = made(tmp_path / "e")
    index = root / "annotations/panoptic_train2017.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"annotations": []}))
    with pytest.raises(ValueError, match=r"(?s)one annotation per image .*9\.jpg has 0"):
        COCOPanoptic(root, "train")


def test_the_real_one(shared: Path) -> None:
    """Against the semantic PNGs that were made from the same annotation: category ids, 0 unlabelled."""
    root = shared / "coco-panoptic"
    dataset = COCOPanoptic(root, "train")
    description = dataset.describe()
    assert (len(dataset), description.num_classes, len(description.things)) == (40, 133, 80)
    ids = np.array([*dataset.index.categories, *[0] * (256 - 133)])
    for index in (0, 7, 21):
        sample = dataset[index]
        with Image.open(root / "semantic_train2017" / f"{sample.name}.png") as file:
            semantic = np.asarray(file)
        known = sample.mask.numpy() != 255
        np.testing.assert_array_equal(ids[sample.mask.numpy()][known], semantic[known])
        crowd = any(one["iscrowd"] for one in dataset.index.annotations[sample.name][0]["segments_info"])
        assert crowd or (semantic[~known] == 0).all()


def test_a_grey_picture_among_colored_ones(shared: Path) -> None:
    root = shared / "coco-panoptic"
    dataset = COCOPanoptic(root, "train")
    grey = [place for place, pair in enumerate(dataset.pairs) if Image.open(pair.image).mode == "L"]
    assert len(grey) == 1
    image = dataset[grey[0]].image
    assert image.shape[0] == 3
    assert (image[0] == image[2]).all()


def test_real_objects_are_those_of_the_file(shared: Path) -> None:
    """Its boxes and areas, which nobody reads here, were counted by somebody else."""
    dataset = COCOPanoptic(shared / "coco-panoptic", "train")
    for index in (0, 7, 21):
        found = dataset[index].instances
        segments = dataset.index.annotations[dataset.name(index)][0]["segments_info"]
        things = [one for one in segments if one["category_id"] in dataset.index.things]
        assert found.areas.tolist() == [one["area"] for one in things]
        boxes = np.array([one["bbox"] for one in things])
        np.testing.assert_array_equal(found.boxes, np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1))
        assert found.crowd.tolist() == [bool(one["iscrowd"]) for one in things]
