import json
from pathlib import Path

import pytest

from src.data.coco_index import COCOIndex
from src.data.layout import surveyed

IMAGE = {"id": 3, "file_name": "a/1.jpg", "height": 8, "width": 10}
PERSON = {"id": 1, "name": "person"}
ONE = {"id": 5, "image_id": 3, "category_id": 1, "bbox": [1, 1, 2, 2]}


def written(folder: Path, images: list, categories: list, annotations: list) -> Path:
    for one in images:
        (folder / one["file_name"]).parent.mkdir(exist_ok=True)
        (folder / one["file_name"]).touch()
    path = folder / "a.json"
    path.write_text(json.dumps({"images": images, "categories": categories, "annotations": annotations}))
    return path


def test_categories_and_images_in_order_of_their_sparse_ids(tmp_path: Path) -> None:
    first = {**IMAGE, "id": 1, "file_name": "2.jpg"}
    path = written(tmp_path, [IMAGE, first], [{"id": 90, "name": "tree", "isthing": 0}, PERSON], [ONE])
    index = COCOIndex.read(path, tmp_path)
    assert (list(index.categories.items()), index.things) == ([(1, "person"), (90, "tree")], {1})
    assert ([pair.name for pair in index.pairs], index.sizes["a/1"]) == (["2", "a/1"], (8, 10))
    assert index.annotations == {"2": [], "a/1": [ONE]}
    assert not index.drawn


def test_regions_are_there_if_any_object_has_one(tmp_path: Path) -> None:
    empty, full = {**ONE, "segmentation": []}, {**ONE, "id": 6, "segmentation": [[1, 1, 2, 2, 1, 3]]}
    for annotations, drawn in (([empty], False), ([empty, full], True), ([], True)):
        path = written(tmp_path, [IMAGE], [PERSON], annotations)
        assert COCOIndex.read(path, tmp_path).drawn == drawn


def test_what_is_given_twice_is_all_named(tmp_path: Path) -> None:
    """Together with references to nothing, in one pass, where a survey is made."""
    images = [IMAGE, {**IMAGE, "file_name": "b.jpg"}, {**IMAGE, "id": 4, "file_name": "a/1.png"}]
    categories = [PERSON, {"id": 1, "name": "tree"}, {"id": 2, "name": "tree"}]
    annotations = [ONE, ONE, {**ONE, "id": 6, "image_id": 7}, {**ONE, "id": 7, "category_id": 8}]
    path = written(tmp_path, images, categories, annotations)
    with pytest.raises(
        ValueError,
        match=r"(?s)a\.json: ids and names must differ.*5 given twice: category id 1, image id 3, annotation id 5, "
        "category 'tree', image 'a/1'",
    ):
        COCOIndex.read(path, tmp_path)
    with surveyed() as survey:
        COCOIndex.read(path, tmp_path)
    said = "\n".join(survey.troubles)
    assert len(survey.troubles) == 7
    for expected in (
        "annotation id 5: given twice",
        "annotation 6 (image 7): of an unknown",
        "annotation 7 (category 8)",
    ):
        assert expected in said
