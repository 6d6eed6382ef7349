from pathlib import Path

import pytest

from src.data.interface import MissingSplit
from src.data.listing import Listing


def touched(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def numbered(folder: Path, count: int) -> Path:
    for index in range(count):
        touched(folder, f"images/{index:03}.jpg", f"masks/{index:03}.png")
    return folder


def names(listing: Listing, split: str) -> list[str]:
    return [pair.name for pair in listing.pairs(split)]


def test_fractions_split_all_images_once(tmp_path: Path) -> None:
    listing = Listing(numbered(tmp_path, 40), val_fraction=0.2, test_fraction=0.1)
    parts = {split: names(listing, split) for split in ("train", "val", "test")}
    assert {split: len(part) for split, part in parts.items()} == {"train": 28, "val": 8, "test": 4}
    assert sorted(name for part in parts.values() for name in part) == [f"{index:03}" for index in range(40)]
    assert all(part == sorted(part) for part in parts.values())


def test_fractions_depend_on_the_seed_and_hardly_on_other_files(tmp_path: Path) -> None:
    listing = Listing(numbered(tmp_path, 40))
    before = names(listing, "val")
    assert names(listing, "val") == before
    assert names(Listing(tmp_path, split_seed=1), "val") != before
    touched(tmp_path, "images/new.jpg", "masks/new.png")
    assert len(set(before) & set(names(listing, "val"))) >= 7


def test_fractions_that_leave_nothing(tmp_path: Path) -> None:
    numbered(tmp_path, 4)
    with pytest.raises(MissingSplit, match=r"no images are set apart for 'test': 4 in all, data\.test_fraction"):
        Listing(tmp_path).pairs("test")
    with pytest.raises(ValueError, match="leave no train"):
        Listing(tmp_path, val_fraction=0.5, test_fraction=0.5).pairs("train")


@pytest.mark.parametrize("layout", ["images/{split}/{file}", "{split}/images/{file}"])
def test_folders_split_first(tmp_path: Path, layout: str) -> None:
    for split, name in (("train", "x/a"), ("val", "b")):
        image = layout.format(split=split, file=f"{name}.jpg")
        touched(tmp_path, image, image.replace("images", "masks").replace(".jpg", ".png"))
    listing = Listing(tmp_path)
    assert (names(listing, "train"), names(listing, "val")) == (["x/a"], ["b"])
    assert listing.common()[0].name == "a.jpg"
    with pytest.raises(MissingSplit, match="there is no split 'test'"):
        listing.pairs("test")


def test_lists_come_next(tmp_path: Path) -> None:
    touched(numbered(tmp_path, 4), "images/v1.2.jpg", "masks/v1.2.png")
    (tmp_path / "train.txt").write_text("000\n003.jpg\n\n")
    (tmp_path / "val.txt").write_text("v1.2\n")
    listing = Listing(tmp_path)
    assert (names(listing, "train"), names(listing, "val")) == (["000", "003"], ["v1.2"])
    with pytest.raises(MissingSplit, match=r"test\.txt does not exist"):
        listing.pairs("test")
    (tmp_path / "val.txt").write_text("009\n")
    with pytest.raises(ValueError, match=r"val\.txt names what is not there\n  1 unknown names: 009"):
        listing.pairs("val")


def test_lists_in_a_folder_of_their_own(tmp_path: Path) -> None:
    (touched(numbered(tmp_path, 3), "lists/train.txt") / "lists/train.txt").write_text("001")
    assert names(Listing(tmp_path, lists="lists"), "train") == ["001"]


def table(folder: Path, *lines: str) -> Listing:
    (folder / "table.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    return Listing(folder, csv="table.csv")


def test_a_table_with_and_without_splits(tmp_path: Path) -> None:
    numbered(tmp_path, 3)
    rows = [f"images/00{index}.jpg,masks/00{index}.png" for index in range(3)]
    listing = table(tmp_path, "image,mask,split", f"{rows[0]},train", f"{rows[1]},val", f"{rows[2]},train")
    assert (names(listing, "train"), names(listing, "val")) == (["images/000", "images/002"], ["images/001"])
    assert listing.pairs("val")[0].mask == tmp_path / "masks/001.png"
    with pytest.raises(MissingSplit, match=r"no row whose split is 'test'"):
        listing.pairs("test")
    listing = table(tmp_path, "image,mask", *rows)
    assert len(names(listing, "train")) + len(names(listing, "val")) == 3


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("image,label", "a,b"), r"has the columns \['image', 'label'\]"),
        (("image,mask",), "has no rows"),
        (("image,mask", "images/000.jpg,"), "1 where image or mask is empty: line 2"),
        (("image,mask", "images/000.jpg,masks/009.png"), r"1 missing: .*009\.png"),
        (("image,mask", "images/000.jpg,masks/000.png", "images/000.jpg,masks/001.png"), "1 images named twice"),
        (("image,mask,split", "images/000.jpg,masks/000.png,dev"), "none of .*: dev"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path: Path, lines: tuple[str, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        table(numbered(tmp_path, 2), *lines).pairs("train")


def test_images_alone(tmp_path: Path) -> None:
    listing = Listing(numbered(tmp_path, 10), masks=None)
    assert len(listing.pairs("train")) == 8
    assert listing.pairs("val")[0].mask is None
    touched(tmp_path, "images/000.png")
    with pytest.raises(ValueError, match="2 of the same name"):
        listing.pairs("train")


def test_a_folder_without_images(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    with pytest.raises(ValueError, match="there is no image in"):
        Listing(tmp_path).common()


def test_folders_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"images is no folder: say data\.root"):
        Listing(tmp_path).pairs("train")
    touched(tmp_path, "images/train/a.png")
    with pytest.raises(ValueError, match=r"there is no .*masks/train with their masks"):
        Listing(tmp_path).pairs("train")
