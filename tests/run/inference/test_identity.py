"""Ids of images and categories: our own, or an annotation file's."""

import json
from pathlib import Path

import pytest

from src.data.description import Description
from src.run.inference.identity import Identity
from src.run.inference.source import Source

DESCRIPTION = Description(("image", "instances"), ("sky", "cat", "dog"), ((0, 0, 0),) * 3, things=("cat", "dog"))
SOURCES = [Source(Path("/in/b/x.jpg"), "b/x"), Source(Path("/in/a.jpg"), "a")]


def annotations(path: Path, files: dict[str, int], **categories: int) -> Path:
    images = [{"id": number, "file_name": name} for name, number in files.items()]
    content = {"images": images, "categories": [{"id": number, "name": name} for name, number in categories.items()]}
    path.write_text(json.dumps(content))
    return path


def test_without_a_file_images_are_counted_and_classes_have_their_index() -> None:
    identity = Identity(DESCRIPTION)
    assert identity.categories == {"cat": 1, "dog": 2}
    assert list(identity.of(SOURCES).values()) == [
        {"image_id": 1, "file_name": "b/x.jpg"},
        {"image_id": 2, "file_name": "a.jpg"},
    ]


def test_ids_are_those_of_the_file(tmp_path: Path) -> None:
    """By the name below the folder, or else by the file's own, wherever the file says that it lies."""
    path = annotations(tmp_path / "a.json", {"b/x.jpg": 70, "x.jpg": 71, "val/a.jpg": 72}, dog=18, cat=17, cow=21)
    identity = Identity(DESCRIPTION, path)
    assert identity.categories == {"cat": 17, "dog": 18}
    assert list(identity.of(SOURCES).values()) == [
        {"image_id": 70, "file_name": "b/x.jpg"},
        {"image_id": 72, "file_name": "val/a.jpg"},
    ]


@pytest.mark.parametrize("files", [{"a.jpg": 1}, {"a.jpg": 1, "u/x.jpg": 2, "v/x.jpg": 3}])
def test_an_image_that_the_file_lacks_or_has_twice_is_named(tmp_path: Path, files: dict[str, int]) -> None:
    identity = Identity(DESCRIPTION, annotations(tmp_path / "a.json", files, cat=1, dog=2))
    with pytest.raises(ValueError, match=r"coco=.*a\.json: has no image of the name of /in/b/x\.jpg: predict"):
        identity.of(SOURCES)


def test_a_class_that_the_file_lacks_is_named(tmp_path: Path) -> None:
    path = annotations(tmp_path / "a.json", {"a.jpg": 1}, cat=1)
    with pytest.raises(ValueError, match=r"the checkpoint finds dog, which the file's categories lack \(cat\)"):
        Identity(DESCRIPTION, path)


@pytest.mark.parametrize("content", ["{", "[]", '{"images": [{"id": 1}], "categories": []}'])
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"coco=.*a\.json: is no annotation file of COCO"):
        Identity(DESCRIPTION, path)
