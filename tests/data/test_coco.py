import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.data import voc
from src.data.coco import COCO
from src.data.interface import Dataset, MissingSplit
from src.data.layout import surveyed

CATEGORIES = [{"id": 7, "name": "train"}, {"id": 1, "name": "person"}, {"id": 90, "name": "toothbrush"}]


def box(x0: int, y0: int, x1: int, y1: int) -> list[list[int]]:
    return [[x0, y0, x1, y0, x1, y1, x0, y1]]


def made(folder: Path, annotations: list[dict], split: str = "train", **more: object) -> Path:
    """An image of 8 by 10 pixels, and what is said of it."""
    (folder / f"{split}2017").mkdir(parents=True)
    (folder / "annotations").mkdir(exist_ok=True)
    Image.new("L", (10, 8), 9).save(folder / f"{split}2017/000000000042.jpg")  # grey, as some of COCO's are
    numbered = [{"id": 5 + place, "image_id": 42, "iscrowd": 0} | one for place, one in enumerate(annotations)]
    image = {"id": 42, "file_name": "000000000042.jpg", "height": 8, "width": 10}
    content = {"images": [image], "categories": CATEGORIES, "annotations": numbered} | more
    (folder / f"annotations/instances_{split}2017.json").write_text(json.dumps(content))
    return folder


SMALL = {"category_id": 1, "segmentation": box(2, 2, 4, 4)}
LARGE = {"category_id": 7, "segmentation": box(0, 0, 6, 6)}
BRUSH = {"category_id": 90, "segmentation": box(1, 1, 3, 3)}
CROWD = {"category_id": 7, "iscrowd": 1, "segmentation": {"counts": [64, 16], "size": [8, 10]}}


@pytest.mark.parametrize("annotations", [[SMALL, LARGE, CROWD], [CROWD, LARGE, SMALL]])
def test_the_smaller_object_is_on_top_and_a_crowd_unknown(tmp_path: Path, annotations: list[dict]) -> None:
    dataset = COCO(made(tmp_path, annotations), "train")
    assert isinstance(dataset, Dataset)
    assert dataset.describe().classes == ("background", "person", "train", "toothbrush")  # by their ids
    sample = dataset[0]
    assert (sample.name, sample.size, sample.image.shape) == ("000000000042", (8, 10), (3, 8, 10))
    expected = np.zeros((8, 10))
    expected[:6, :6], expected[2:4, 2:4], expected[:, 8:] = 2, 1, 255
    np.testing.assert_array_equal(sample.mask.numpy(), expected)


def test_a_small_crowd_lies_before_a_large_object_and_behind_a_smaller_one(tmp_path: Path) -> None:
    crowd = {"category_id": 1, "iscrowd": 1, "segmentation": {"counts": [0, 16, 64], "size": [8, 10]}}
    mask = COCO(made(tmp_path, [crowd, LARGE, {**BRUSH, "segmentation": box(0, 0, 1, 1)}]), "train")[0].mask
    assert mask[0].tolist() == [3, 255, 2, 2, 2, 2, 0, 0, 0, 0]


def test_the_classes_of_voc(tmp_path: Path) -> None:
    crowd = {"category_id": 90, "iscrowd": 1, "segmentation": {"counts": [64, 16], "size": [8, 10]}}
    dataset = COCO(made(tmp_path, [SMALL, LARGE, BRUSH, crowd]), "train", classes="voc")
    description = dataset.describe()
    assert (description.classes, description.colors[15]) == (voc.CLASSES, (192, 128, 128))
    mask = dataset[0].mask
    assert (mask[5, 5], mask[3, 3], mask[1, 1]) == (voc.CLASSES.index("train"), voc.CLASSES.index("person"), 0)
    assert (mask[:, 8:] == 0).all()  # a crowd of toothbrushes is background


def test_an_image_without_objects_is_background(tmp_path: Path) -> None:
    assert (COCO(made(tmp_path, []), "train")[0].mask == 0).all()


def test_references_to_nothing_are_all_named(tmp_path: Path) -> None:
    root = made(tmp_path, [{**SMALL, "category_id": 3}, {**SMALL, "image_id": 43}, LARGE])
    with pytest.raises(
        ValueError,
        match=r"(?s)instances_train2017\.json: .*1 of an unknown category: annotation 5 "
        r"\(category 3\).*1 of an unknown image: annotation 6 \(image 43\)",
    ):
        COCO(root, "train")
    with surveyed() as survey:
        dataset = COCO(root, "train")
    assert len(survey.troubles) == 2
    assert dataset[0].mask.unique().tolist() == [0, 2]  # the annotation in order is drawn


def test_files_that_are_not_as_the_json_says(tmp_path: Path) -> None:
    root = made(tmp_path, [SMALL])
    with pytest.raises(
        MissingSplit, match=r"needs .*instances_test2017\.json; .* there are: instances_train2017\.json"
    ):
        COCO(root, "test")
    Image.new("RGB", (8, 10)).save(root / "train2017/000000000042.jpg")
    with pytest.raises(ValueError, match=r"42\.jpg is 10x8 \(height x width\), but .*train2017\.json says 8x10"):
        COCO(root, "train")[0]
    (root / "train2017/000000000042.jpg").unlink()
    with pytest.raises(ValueError, match=r"1 missing: .*000000000042\.jpg"):
        COCO(root, "train")
    (root / "annotations/instances_train2017.json").write_text("{")
    with pytest.raises(ValueError, match=r"train2017\.json cannot be read as COCO's instances: JSONDecodeError"):
        COCO(root, "train")
    (root / "annotations/instances_train2017.json").write_text("{}")
    with pytest.raises(ValueError, match=r"cannot be read as COCO's instances: KeyError\('categories'\)"):
        COCO(root, "train")


def test_an_annotation_that_cannot_be_drawn_is_named(tmp_path: Path) -> None:
    root = made(tmp_path, [LARGE, {**SMALL, "segmentation": [[1, 2]]}])
    with pytest.raises(ValueError, match=r"instances_train2017\.json: annotation 6 cannot be drawn: its polygon"):
        COCO(root, "train")[0]
    root = made(tmp_path / "other", [{"category_id": 1}])
    with pytest.raises(ValueError, match=r"annotation 5 cannot be drawn: KeyError\('segmentation'\)"):
        COCO(root, "train")[0]


def test_the_annotation_file_is_among_the_files(tmp_path: Path) -> None:
    """So that the cache is made anew when it changes."""
    files = COCO(made(tmp_path, [SMALL]), "train").files(0)
    assert [Path(file).name for file in files] == ["000000000042.jpg", "instances_train2017.json"]


def test_the_real_one(shared: Path) -> None:
    train, val = (COCO(shared / "coco-mini", split) for split in ("train", "val"))
    assert (len(train), len(val), train.describe().num_classes) == (50, 50, 81)
    assert train.describe().classes[80] == "toothbrush"
    place = next(
        index for index in range(50) if any(one["iscrowd"] for one in train.index.annotations[train.name(index)])
    )
    sample = train[place]
    assert (sample.mask == 255).any()
    labels = set(sample.mask.unique().tolist())
    said = {one["category_id"] for one in train.index.annotations[sample.name]}
    assert labels - {0, 255} <= {1 + list(train.index.categories).index(key) for key in said}


def test_real_regions_have_the_pixels_that_cocos_own_tools_count(shared: Path) -> None:
    """Sums by pycocotools 2.0.11; a single polygon's `area`, which is not of pixels, is near."""
    dataset = COCO(shared / "coco-mini", "val")
    drawn, ratios = {0: [], 1: []}, []
    for name, size in dataset.index.sizes.items():
        for one in dataset.index.annotations[name]:
            drawn[one["iscrowd"]].append(int(dataset._region(one, size).sum()))
            if not one["iscrowd"] and len(one["segmentation"]) == 1 and one["area"] > 2000:
                ratios.append(drawn[0][-1] / one["area"])
    assert (sum(drawn[0]) + sum(drawn[1]), sum(drawn[1]), len(drawn[1])) == (5_655_390, 197_084, 5)
    assert np.median(np.abs(np.array(ratios) - 1)) < 0.005
