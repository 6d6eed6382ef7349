import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from src.doctor import doctor
from src.run import cli
from src.run.build import plain
from src.run.check import check

SCENES = ["data.resolution=[24,32]", "data.lengths={train:9,val:3,test:2}", "data.workers=0"]


def examined(tmp_path: Path, *words: str) -> dict:
    output = tmp_path / "found.json"
    doctor(cli.compose("doctor", [*words, f"output={output}"]))
    return json.loads(output.read_text())


def pairs(folder: Path, masks: list[np.ndarray]) -> Path:
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for index, mask in enumerate(masks):
        picture = np.random.default_rng(index).integers(0, 256, (*mask.shape, 3), dtype=np.uint8)
        Image.fromarray(picture).save(folder / f"images/{index}.png")
        Image.fromarray(mask).save(folder / f"masks/{index}.png")
    return folder


def test_the_default_data_are_in_order(tmp_path, capsys):
    found = examined(tmp_path, *SCENES)
    assert found["faults"] == []
    train = found["splits"]["train"]
    assert (train["samples"], train["usable"], train["sizes"]) == (9, 9, 1)
    assert train["height"] == {"min": 24, "median": 24, "max": 24}
    assert train["images"] == {"3 × uint8": 9}
    assert sum(facts["pixels"] for facts in train["classes"].values()) == 9 * 24 * 32
    assert set(train["unknown"]) == {"mask", "depth", "normals", "albedo", "shading"}
    assert 0.1 < train["metres"]["min"] < train["metres"]["median"] < train["metres"]["max"] < 100
    assert "14 samples, 0 files; faults: none" in capsys.readouterr().out


def test_counts_of_made_masks(tmp_path):
    few = np.zeros((10, 20), np.uint8)
    few[0, :2] = 1
    few[9] = 255
    root = pairs(tmp_path / "data", [few, np.zeros((30, 20), np.uint8), np.full((10, 20), 255, np.uint8)])
    (root / "train.txt").write_text("0\n1\n2")
    Image.open(root / "images/0.png").save(root / "images/3.png")
    Image.fromarray(few).save(root / "masks/3.png")
    (root / "val.txt").write_text("3")
    words = ["data=folder", f"data.root={root}", "data.classes=[a,b,c]", "data.void=255", "data.workers=0"]
    found = examined(tmp_path, *words)
    train = found["splits"]["train"]
    assert train["classes"]["a"] == {"pixels": 778, "share": 778 / 780, "images": 2}
    assert train["classes"]["b"] == {"pixels": 2, "share": 2 / 780, "images": 1}
    assert train["unknown"]["mask"] == pytest.approx(220 / 1000)
    assert (train["height"]["min"], train["height"]["max"], train["sizes"]) == (10, 30, 2)
    remarks = "\n".join(found["remarks"])
    assert "train has no pixel of c" in remarks
    assert "train has little of b (0.26% of the pixels, 1 images)" in remarks
    assert "train: nothing is labelled in 2" in remarks
    assert "one picture in two splits, so that scores are too good: 0 (train) = 3 (val)" in remarks
    assert "train has 3 samples, fewer than data.batch_size=8" in remarks
    assert "test is not there" in remarks


def test_the_classes_are_sorted_and_their_tail_is_said(tmp_path, capsys):
    mask = np.zeros((20, 50), np.uint8)
    mask[0, :4], mask[1, :2], mask[2:8], mask[19] = 1, 2, 3, 255
    root = pairs(tmp_path / "data", [mask, mask])
    (root / "train.txt").write_text("0\n1")
    words = ["data=folder", f"data.root={root}", "data.classes=[a,b,c,d,e]", "data.void=255", "data.workers=0"]
    tail = examined(tmp_path, *words)["splits"]["train"]["tail"]
    known = 19 * 50
    assert tail == {
        "classes": 2,
        "share": pytest.approx(6 / known),
        "most": "a",
        "least": "c",
        "ratio": pytest.approx((known - 306) / 2),
    }
    out = capsys.readouterr().out
    said = "train: 2 classes under 1 % hold 0.63% of the pixels; there is 322 times as much a as c"
    assert said in " ".join(out.split())
    rows = [line.split()[0] for line in out.splitlines() if line.split()[:1] and line.split()[0] in "abcde"]
    assert rows == ["a", "d", "b", "c", "e"]


def test_it_sees_the_classes_and_labels_that_are_asked_for(tmp_path):
    words = ["data.label_map={sky: null, wall: flat, floor: flat}", "data/weak=clicks"]
    found = examined(tmp_path, *SCENES, *words)
    classes = found["splits"]["val"]["classes"]
    assert "flat" in classes
    assert not {"sky", "wall"} & set(classes)
    assert found["splits"]["train"]["unknown"]["mask"] > 0.9 > found["splits"]["val"]["unknown"]["mask"]


def test_the_lists_of_names_are_summed_up_too(tmp_path):
    root = pairs(tmp_path / "data", [np.zeros((4, 4), np.uint8)] * 3)
    (root / "train.txt").write_text("0\n1")
    (root / "val.txt").write_text("2")
    words = ["data=folder", f"data.root={root}", "data.classes=2", "data.workers=0"]
    assert examined(tmp_path, *words, "checksums=write")["faults"] == []
    assert examined(tmp_path, *words, "checksums=check")["faults"] == []
    (root / "train.txt").write_text("0")
    with pytest.raises(ValueError, match="1 fault, listed above"):
        examined(tmp_path, *words, "checksums=check")
    (fault,) = json.loads((tmp_path / "found.json").read_text())["faults"]
    assert "train.txt: its bytes are not those" in fault["reason"]
    (root / "images/0.png").write_bytes(b"broken")
    before = (root / "SHA256SUMS").read_text()
    with pytest.raises(ValueError, match="1 fault"):  # sums of broken files would call them good
        examined(tmp_path, *words, "checksums=write")
    assert (root / "SHA256SUMS").read_text() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["data=camvid", "data.root=/nowhere"], "data.root=/nowhere is no folder"),
        (["checksums=maybe"], "checksums=maybe: null, write or check"),
        ([*SCENES, "checksums=write"], "these data have no data.root"),
        (["splits=[dev]"], "not 'dev'"),
        (["rare=2"], "rare=2: a share"),
        ([*SCENES, "checksums=check", "manifest=/nowhere/SUMS"], "/nowhere/SUMS is not there; make it with"),
    ],
)
def test_a_mistake_is_one_sentence(words, said):
    with pytest.raises(ValueError, match=said):
        doctor(cli.compose("doctor", words))


def test_its_keys_are_checked_as_those_of_every_command():
    check(plain(cli.compose("doctor", SCENES)), "doctor")
    with pytest.raises(ValueError, match=r"data\.root"):
        check(plain(cli.compose("doctor", ["data=camvid"])), "doctor")


def test_real_road_scenes(shared, tmp_path):
    found = examined(tmp_path, "data=camvid", f"data.root={shared / 'camvid-sample'}", "data.workers=0")
    assert found["splits"]["train"]["usable"] == 4
    assert found["splits"]["train"]["classes"]["road"]["images"] == 4


def deep(folder: Path, metres: list[np.ndarray], normals: np.ndarray | None = None) -> list[str]:
    """A folder of pictures with depth in floats, and the words that examine it."""
    for part in ("images", "depth", "facing"):
        (folder / part).mkdir(parents=True)
    for index, depth in enumerate(metres):
        picture = np.random.default_rng(index).integers(0, 256, (*depth.shape, 3), dtype=np.uint8)
        Image.fromarray(picture).save(folder / f"images/{index}.png")
        np.save(folder / f"depth/{index}.npy", depth)
        if normals is not None:
            np.save(folder / f"facing/{index}.npy", normals)
    words = ["data=folder", f"data.root={folder}", "data.masks=null", "data.depths=depth", "data.val_fraction=0.0"]
    return [*words, "data.workers=0", *(["data.normals=facing"] if normals is not None else [])]


def test_the_range_of_depth_and_what_of_it_is_unknown(tmp_path, capsys):
    first, second = np.full((4, 5), 2.0, np.float32), np.full((4, 5), 6.0, np.float32)
    first[0] = 0
    second[1, 1] = 9.5
    train = examined(tmp_path, *deep(tmp_path / "d", [first, second]))["splits"]["train"]
    assert train["metres"] == {"min": 2.0, "median": 4.0, "max": 9.5}
    assert train["unknown"] == {"depth": pytest.approx(5 / 40)}
    assert "2 4 9.5" in capsys.readouterr().out


@pytest.mark.parametrize(("metres", "said"), [(1800.0, "millimetres"), (0.0018, "divided twice")])
def test_depth_in_another_unit_is_suspected(tmp_path, metres, said):
    found = examined(tmp_path, *deep(tmp_path / "d", [np.full((4, 5), metres, np.float32)] * 2))
    assert any(f"the median depth is {metres:g} metres" in remark and said in remark for remark in found["remarks"])
    in_order = examined(tmp_path, *deep(tmp_path / "e", [np.full((4, 5), 1.8, np.float32)] * 2))
    assert not any("metres" in remark for remark in in_order["remarks"])


def test_every_fault_of_depth_and_normals_is_listed(tmp_path, capsys):
    good = np.full((4, 5), 2.0, np.float32)
    wrong = [good.copy() for _ in range(3)]
    wrong[0][1, 2], wrong[1][:] = np.nan, 0
    words = deep(tmp_path / "d", [good, *wrong], np.full((4, 5, 3), (0, 0, -1), np.float32))
    np.save(tmp_path / "d/facing/3.npy", np.full((4, 5, 3), 3.0, np.float32))
    with pytest.raises(ValueError, match="3 faults"):
        examined(tmp_path, *words)
    out = capsys.readouterr().out
    assert "depth/1.npy holds the depth nan at (x=2, y=1)" in out
    assert "depth/2.npy is 0 everywhere" in out
    assert "facing/3.npy: 100% of its vectors are not of length 1" in out
