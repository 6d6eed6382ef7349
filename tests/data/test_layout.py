from pathlib import Path

import pytest

from src.data.layout import complain, images, lines, located, matched, present, surveyed
from src.data.pair import Pair


def touched(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_root_or_a_folder_below_it(tmp_path: Path) -> None:
    touched(tmp_path, "CamVid/train.txt")
    assert located(tmp_path, ["CamVid"], "train.txt", "CamVid") == tmp_path / "CamVid"
    assert located(tmp_path / "CamVid", ["CamVid"], "train.txt", "CamVid") == tmp_path / "CamVid"
    with pytest.raises(ValueError, match=r"CamVid is not in .*looked for val\.txt in .* or .*CamVid"):
        located(tmp_path, ["CamVid"], "val.txt", "CamVid")
    with pytest.raises(ValueError, match=r"data\.root=.*nowhere is no folder"):
        located(tmp_path / "nowhere", [], "train.txt", "CamVid")


def test_images_are_found_below_their_folders_without_hidden_and_other_files(tmp_path: Path) -> None:
    touched(tmp_path, "a.JPG", "sub/b.png", "notes.txt", "._a.jpg", ".cache/c.png", "v1.2.png")
    assert sorted(images(tmp_path)) == ["a", "sub/b", "v1.2"]


def test_names_keep_their_subfolder(tmp_path: Path) -> None:
    touched(tmp_path, "images/x/a.jpg", "images/y/a.jpg", "masks/x/a.png", "masks/y/a.png")
    pairs = matched(tmp_path / "images", tmp_path / "masks")
    assert [pair.name for pair in pairs] == ["x/a", "y/a"]
    assert pairs[1].mask == tmp_path / "masks/y/a.png"


def test_all_that_does_not_match_is_listed_at_once(tmp_path: Path) -> None:
    touched(tmp_path, "images/a.jpg", "images/a.png", "images/b.png", "masks/a.png", "masks/c.png")
    touched(tmp_path, *(f"images/n{index}.png" for index in range(20)))
    with pytest.raises(ValueError, match="do not match") as caught:
        matched(tmp_path / "images", tmp_path / "masks")
    said = str(caught.value)
    assert "2 of the same name: " in said
    assert "a.jpg" in said
    assert "21 without a mask: " in said
    assert "and 11 more" in said
    assert f"1 without an image: {tmp_path / 'masks/c.png'}" in said


def test_a_mask_for_every_class(tmp_path: Path) -> None:
    touched(tmp_path, "images/a.png", "images/b.png", "masks/car/a.png", "masks/car/b.png", "masks/tree/a.png")
    with pytest.raises(ValueError, match=r"1 without a mask: .*images/b\.png"):
        matched(tmp_path / "images", [tmp_path / "masks/car", tmp_path / "masks/tree"])


def test_files_that_a_list_names_exist(tmp_path: Path) -> None:
    touched(tmp_path, "a.png")
    here, gone = Pair("a", tmp_path / "a.png"), Pair("b", tmp_path / "b.png")
    assert present([here], tmp_path / "train.txt") == [here]
    with pytest.raises(ValueError, match=r"train\.txt names files that do not exist\n  1 missing: .*b\.png"):
        present([here, gone], tmp_path / "train.txt")


def test_a_survey_notes_what_is_amiss_and_keeps_the_rest(tmp_path: Path) -> None:
    touched(tmp_path, "images/a.jpg", "images/a.png", "images/b.png", "masks/a.png", "masks/c.png")
    (tmp_path / "list.txt").write_text("a")
    with surveyed() as survey:
        pairs = matched(tmp_path / "images", tmp_path / "masks")
        assert [pair.name for pair in present([*pairs, Pair("z", tmp_path / "z.png")], tmp_path)] == ["a"]
        assert lines(tmp_path / "list.txt") == ["a"]
    assert survey.lists == [tmp_path / "list.txt"]
    said = ["images/a.jpg: of the same name", "images/a.png: of the same name", "images/b.png: without a mask"]
    said += ["masks/c.png: without an image", "z.png: missing"]
    for trouble, expected in zip(survey.troubles, said, strict=True):
        assert expected in trouble
    with pytest.raises(ValueError, match="headline"):  # as before, once it is over
        complain("headline", {"amiss": ["a"]})


def test_lists_are_text(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbfa\r\n\n b \n")
    assert lines(tmp_path / "list.txt") == ["a", "b"]
    (tmp_path / "list.txt").write_bytes(b"\x89PNG\xff")
    with pytest.raises(ValueError, match=r"list\.txt cannot be read as a list"):
        lines(tmp_path / "list.txt")
