import contextlib
import json
from pathlib import Path

import numpy as np
import pycocotools.coco
import pycocotools.mask
import pytest
import torch
from PIL import Image

from src.data import people, voc
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
    with pytest.raises(ValueError, match=r"train2017\.json cannot be read as COCO's JSON: JSONDecodeError"):
        COCO(root, "train")
    (root / "annotations/instances_train2017.json").write_text("{}")
    with pytest.raises(ValueError, match=r"cannot be read as COCO's JSON: KeyError\('categories'\)"):
        COCO(root, "train")


def test_objects_have_boxes_from_their_pixels_and_the_files_own_areas(tmp_path: Path) -> None:
    """The annotated box may be wrong; a crowd is an object, and so is who is too small to cover a pixel."""
    wrong = {**SMALL, "area": 3.5, "bbox": [0, 0, 9, 7]}
    speck = {**BRUSH, "area": 0.1, "bbox": [4.1, 5.2, 0.2, 0.3], "segmentation": [[4.1, 5.2, 4.3, 5.2, 4.3, 5.5]]}
    dataset = COCO(made(tmp_path, [wrong, CROWD, speck]), "train")
    assert dataset.describe().fields == ("image", "mask", "instances")
    assert dataset.describe().countable == (1, 2, 3)
    found = dataset[0].instances
    torch.testing.assert_close(found.boxes, torch.tensor([[2, 2, 4, 4], [8, 0, 10, 8], [4.1, 5.2, 4.3, 5.5]]))
    assert (found.labels.tolist(), found.crowd.tolist()) == ([1, 2, 3], [False, True, False])
    torch.testing.assert_close(found.areas, torch.tensor([3.5, 16, 0.1]))
    assert found.masks.sum((1, 2)).tolist() == [4, 16, 0]
    assert (found.masks.dtype, found.keypoints) == (torch.bool, None)
    assert found.masks[0, 2:4, 2:4].all()


def test_objects_of_other_categories_than_vocs_are_left_out(tmp_path: Path) -> None:
    found = COCO(made(tmp_path, [SMALL, BRUSH, CROWD]), "train", classes="voc")[0].instances
    assert found.labels.tolist() == [voc.CLASSES.index("person"), voc.CLASSES.index("train")]
    assert found.masks.sum((1, 2)).tolist() == [4, 16]


def test_an_image_without_objects_has_none_of_everything(tmp_path: Path) -> None:
    found = COCO(made(tmp_path, []), "train")[0].instances
    assert (len(found), found.boxes.shape, found.masks.shape) == (0, (0, 4), (0, 8, 10))


PEOPLE = {"id": 1, "name": "person", "keypoints": list(people.KEYPOINTS), "skeleton": [[16, 14], [1, 2]]}


def test_persons_with_keypoints_and_without(tmp_path: Path) -> None:
    """Keypoints are numbers of pixels in the file, places here; who has none labelled is an object all the same."""
    nose = [3, 2, 2, 4, 2, 1] + [0] * 45
    nobody = {**SMALL, "keypoints": [0] * 51, "num_keypoints": 0}
    root = made(tmp_path, [{**SMALL, "keypoints": nose}, nobody], categories=[PEOPLE])
    (root / "annotations/instances_train2017.json").rename(root / "annotations/person_keypoints_train2017.json")
    dataset = COCO(root, "train", annotations="person_keypoints")
    said = dataset.describe()
    assert (said.classes, said.countable, said.sigmas) == (("background", "person"), (1,), people.SIGMAS)
    assert (said.keypoints, said.flip_pairs, said.skeleton) == (
        people.KEYPOINTS,
        people.FLIP_PAIRS,
        ((15, 13), (0, 1)),
    )
    found = dataset[0].instances
    assert found.keypoints.shape == (2, 17, 3)
    assert found.keypoints[0, :3].tolist() == [[3.5, 2.5, 2], [4.5, 2.5, 1], [0, 0, 0]]
    assert not found.keypoints[1].any()
    assert COCO(root, "train", "person_keypoints", sigmas=0.1).describe().sigmas == (0.1,) * 17


def own(root: Path, **paths: str) -> COCO:
    return COCO(root, paths.pop("split", "train"), **paths)


def test_anybodys_own_file(tmp_path: Path) -> None:
    """Boxes alone, with categories of any name and number; what reaches beyond the image is cut off."""
    made(tmp_path, [{"category_id": 7, "bbox": [8, -1, 5, 4]}], categories=[{"id": 7, "name": "crane"}])
    (tmp_path / "annotations/instances_train2017.json").rename(tmp_path / "cranes-train.json")
    dataset = own(tmp_path, file="cranes-{split}.json", images="{split}2017")
    said = dataset.describe()
    assert (said.fields, said.classes) == (("image", "instances"), ("background", "crane"))
    sample = dataset[0]
    assert (sample.mask, sample.instances.masks) == (None, None)
    assert (sample.instances.boxes.tolist(), sample.instances.areas.tolist()) == ([[8, 0, 10, 3]], [6])
    with pytest.raises(MissingSplit, match=r"'val' needs .*cranes-val\.json; JSON files there: cranes-train\.json"):
        own(tmp_path, split="val", file="cranes-{split}.json")
    with pytest.raises(ValueError, match=r"data\.file=.*all\.json does not exist"):
        own(tmp_path, file="all.json")


def test_a_single_file_is_divided_into_train_and_val(tmp_path: Path) -> None:
    images = [{"id": key, "file_name": f"{key}.png", "height": 2, "width": 2} for key in range(10)]
    for one in images:
        Image.new("RGB", (2, 2)).save(tmp_path / one["file_name"])
    content = {"images": images, "categories": CATEGORIES, "annotations": []}
    (tmp_path / "all.json").write_text(json.dumps(content))
    train, val = (own(tmp_path, split=split, file="all.json") for split in ("train", "val"))
    names = [[dataset.name(place) for place in range(len(dataset))] for dataset in (train, val)]
    assert ([len(part) for part in names], sorted(names[0] + names[1])) == ([8, 2], [f"{key}" for key in range(10)])
    assert len(own(tmp_path, split="val", file="all.json", val_fraction=0.5)) == 5
    with pytest.raises(MissingSplit, match=r"divided into train and val, there is no 'test'"):
        own(tmp_path, split="test", file="all.json")
    with pytest.raises(ValueError, match=r"data\.val_fraction=1\.5: a share"):
        own(tmp_path, file="all.json", val_fraction=1.5)


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


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools and NumPy 2
@pytest.mark.parametrize(("split", "count"), [("train", 515), ("val", 423)])
def test_every_real_object_is_as_cocos_own_tools_draw_it(shared: Path, split: str, count: int) -> None:
    """A box is that of the pixels: the annotated one holds tips too, which are thinner than a pixel."""
    dataset = COCO(shared / "coco-mini", split)
    with contextlib.redirect_stdout(None):
        theirs = pycocotools.coco.COCO(str(dataset.index.path))
    near = []
    for index in range(len(dataset)):
        found, said = dataset[index].instances, dataset.index.annotations[dataset.name(index)]
        assert len(found) == len(said)
        for place, one in enumerate(said):
            runs = theirs.annToRLE(one)
            np.testing.assert_array_equal(found.masks[place].numpy(), pycocotools.mask.decode(runs))
            x, y, width, height = pycocotools.mask.toBbox(runs)
            assert found.boxes[place].tolist() == [x, y, x + width, y + height]
            x, y, width, height = one["bbox"]
            near.append(np.abs(found.boxes[place].numpy() - (x, y, x + width, y + height)).max())
        assert torch.equal(found.areas, torch.tensor([one["area"] for one in said], dtype=torch.float32))
        assert found.crowd.tolist() == [bool(one["iscrowd"]) for one in said]
    assert len(near) == count
    assert np.mean(np.array(near) < 0.5) > 0.6
    assert max(near) < 9


def test_the_real_keypoints(shared: Path) -> None:
    """Those of the file, half a pixel on, with COCO's own names, pairs and limbs."""
    dataset = COCO(shared / "coco-mini", "train", annotations="person_keypoints")
    said = dataset.describe()
    assert (said.keypoints, said.flip_pairs) == (people.KEYPOINTS, people.FLIP_PAIRS)
    assert {frozenset(limb) for limb in said.skeleton} == {frozenset(limb) for limb in people.SKELETON}
    shown = persons = 0
    for index in range(len(dataset)):
        found = dataset[index].instances
        for points, one in zip(found.keypoints, dataset.index.annotations[dataset.name(index)], strict=True):
            theirs = torch.tensor(one["keypoints"]).reshape(17, 3)
            assert points[:, 2].tolist() == theirs[:, 2].tolist()
            known = theirs[:, 2] > 0
            assert torch.equal(points[known, :2] - 0.5, theirs[known, :2].float())
            persons, shown = persons + 1, shown + bool(known.any())
    assert (len(dataset), persons, shown) == (50, 131, 63)
