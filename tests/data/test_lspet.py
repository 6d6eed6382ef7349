import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from src.data.interface import Dataset, MissingSplit
from src.data.lspet import LSPET

NAMES = (
    *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
    *("right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist", "neck", "head_top"),
)


def original(folder: Path, joints: np.ndarray) -> Path:
    """[n 14 3] in the published layout, in images of 40 by 50 pixels."""
    (folder / "images").mkdir(parents=True)
    for number in range(1, len(joints) + 1):
        Image.new("RGB", (50, 40)).save(folder / f"images/im{number:05}.jpg")
    savemat(folder / "joints.mat", {"joints": joints.transpose(1, 2, 0)})
    return folder


def standing(count: int) -> np.ndarray:
    """From (10, 20) to (36, 33), all labelled."""
    steps = np.arange(14.0)
    return np.tile(np.stack([10 + 2 * steps, 20 + steps, np.ones(14)], 1), (count, 1, 1))


def test_the_published_layout(tmp_path: Path) -> None:
    joints = standing(10)
    joints[0, 5] = (-3, -2, 0)
    joints[0, 13] = (np.nan, 33, 1)
    dataset, val = (LSPET(original(tmp_path / split, joints), split) for split in ("train", "val"))
    assert isinstance(dataset, Dataset)
    assert [each.name(0) for each in (dataset, val)] == ["im00001", "im00009"]
    assert (len(dataset), len(val)) == (8, 2)
    assert [Path(file).name for file in val.files(1)] == ["im00010.jpg", "joints.mat"]
    found = dataset[0].instances
    assert found.keypoints[0, 4:6].tolist() == [[18, 24, 2], [0, 0, 0]]
    assert not found.keypoints[0, 13].any()
    np.testing.assert_allclose(found.boxes, [[10 - 2.4, 20 - 2.4, 34 + 2.4, 32 + 2.4]], rtol=1e-6)
    np.testing.assert_allclose(found.areas, [28.8 * 16.8], rtol=1e-6)
    assert (found.labels.tolist(), found.masks, dataset[0].size) == ([0], None, (40, 50))


def test_what_a_box_reaches_beyond_the_image_is_cut_off(tmp_path: Path) -> None:
    joints = standing(5) * (1.3, 1.2, 1)
    box = LSPET(original(tmp_path, joints), "train")[0].instances.boxes[0].tolist()
    assert box[2:] == [50, 40]


def test_the_layout_of_the_set_that_it_extends(tmp_path: Path) -> None:
    joints = standing(5)
    root = original(tmp_path / "lspet_dataset", joints)
    expected = LSPET(root, "train")[2].instances.keypoints
    savemat(root / "joints.mat", {"joints": joints.transpose(2, 1, 0)})
    assert (LSPET(tmp_path, "train")[2].instances.keypoints == expected).all()


def test_what_it_says_of_itself(tmp_path: Path) -> None:
    said = LSPET(original(tmp_path, standing(5)), "train").describe()
    assert (said.fields, said.countable, said.keypoints) == (("image", "instances"), (0,), NAMES)
    for left, right in said.flip_pairs:
        assert NAMES[right] == NAMES[left].replace("right", "left")
    assert len(said.flip_pairs) == 6
    assert [said.sigmas[NAMES.index(name)] for name in ("left_hip", "right_wrist", "neck")] == [0.107, 0.062, 0.079]
    limbs = {frozenset(NAMES[end] for end in limb) for limb in said.skeleton}
    assert len(limbs) == 12
    assert {frozenset(("left_knee", "left_hip")), frozenset(("neck", "head_top"))} <= limbs


def test_what_is_no_lspet(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="looked for images in"):
        LSPET(tmp_path, "train")
    root = original(tmp_path / "a", standing(5))
    with pytest.raises(MissingSplit, match=r"joints\.mat is divided into train and val here, there is no 'test'"):
        LSPET(root, "test")
    (root / "images/im00002.jpg").unlink()
    with pytest.raises(ValueError, match=r"joints\.mat names files that do not exist\n.*1 missing: .*im00002\.jpg"):
        LSPET(root, "train")
    savemat(root / "joints.mat", {"joints": np.zeros((3, 16, 5))})
    with pytest.raises(ValueError, match=r"holds joints of shape \(3, 16, 5\)"):
        LSPET(root, "train")
    (root / "joints.mat").write_bytes(b"MATLAB")
    with pytest.raises(ValueError, match=r"joints\.mat cannot be read as a matrix named joints"):
        LSPET(root, "train")
    (root / "joints.mat").unlink()
    with pytest.raises(MissingSplit, match=r"needs joints\.mat in .*, or .*train\.json; JSON files there: none"):
        LSPET(root, "train")
    nobody = standing(5) * (1, 1, 0)
    with pytest.raises(ValueError, match=r"im00001\.jpg has no labelled joint in .*joints\.mat"):
        LSPET(original(tmp_path / "b", nobody), "train")[0]


def as_json(folder: Path, annotations: list[dict], names: tuple[str, ...] = NAMES) -> Path:
    (folder / "images").mkdir(parents=True)
    (folder / "annotations").mkdir()
    Image.new("RGB", (50, 40)).save(folder / "images/a.jpg")
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 40, "width": 50}],
        "categories": [{"id": 1, "name": "person", "keypoints": list(names)}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, **one} for one in annotations],
    }
    (folder / "annotations/person_keypoints_train.json").write_text(json.dumps(content))
    return folder


def test_as_cocos_json(tmp_path: Path) -> None:
    person = {"keypoints": (standing(1) * (1, 1, 2)).flatten().tolist()}
    found = LSPET(as_json(tmp_path / "a", [person]), "train")[0].instances
    other = LSPET(original(tmp_path / "b", standing(5)), "train")[0].instances
    assert (found.keypoints == other.keypoints).all()
    assert (found.boxes == other.boxes).all()
    with pytest.raises(ValueError, match=r"one person per image was expected\n.*a\.jpg has 0"):
        LSPET(as_json(tmp_path / "c", []), "train")
    with pytest.raises(ValueError, match=r"is of the keypoints .* LSPET's are"):
        LSPET(as_json(tmp_path / "d", [person], NAMES[::-1]), "train")
    with pytest.raises(ValueError, match=r"train\.json does not give x, y and visibility of 14 joints"):
        LSPET(as_json(tmp_path / "e", [{"keypoints": [1, 2, 2]}]), "train")


def test_the_real_ones(shared: Path) -> None:
    """Their file gives boxes and areas too, which the same rule made."""
    root = shared / "lspet-mini"
    train, val = (LSPET(root, split) for split in ("train", "val"))
    assert (len(train), len(val)) == (400, 80)
    content = json.loads((root / "annotations/person_keypoints_val.json").read_bytes())
    names = {one["id"]: Path(one["file_name"]).stem for one in content["images"]}
    said = {names[one["image_id"]]: one for one in content["annotations"]}
    for index in range(len(val)):
        sample, one = val[index], said[val.name(index)]
        x, y, width, height = one["bbox"]
        np.testing.assert_allclose(sample.instances.boxes[0], [x, y, x + width, y + height], atol=0.03)
        np.testing.assert_allclose(sample.instances.areas, [one["area"]], rtol=1e-3)
        np.testing.assert_array_equal(sample.instances.keypoints.flatten(), np.float32(one["keypoints"]))
