import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from src.data.coco_region import region
from src.data.interface import Dataset, MissingSplit
from src.data.voc import VOC


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Two images to train on, one to validate with, in the devkit's layout."""
    folder = tmp_path / "VOCdevkit/VOC2012"
    for name in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (folder / name).mkdir(parents=True)
    for name in ("a", "b", "c"):
        photo(folder / "JPEGImages" / f"{name}.jpg")
        mask = Image.fromarray(np.array([[0, 15, 20, 255]] * 3, np.uint8), mode="P")
        mask.putpalette([0] * 768)
        mask.save(folder / "SegmentationClass" / f"{name}.png")
    (folder / "ImageSets/Segmentation/train.txt").write_text("a\nb\n")
    (folder / "ImageSets/Segmentation/val.txt").write_text("c\n")
    return tmp_path


def with_objects(folder: Path) -> Path:
    """A person and a monitor beside each class map, numbered 1 and 7."""
    place = folder / "VOCdevkit/VOC2012/SegmentationObject"
    place.mkdir()
    for name in ("a", "b", "c"):
        Image.fromarray(np.array([[0, 1, 7, 255]] * 3, np.uint8)).save(place / f"{name}.png")
    return place


def photo(path: Path) -> None:
    Image.new("RGB", (4, 3)).save(path)


def with_sbd(folder: Path) -> Path:
    dataset = folder / "benchmark_RELEASE/dataset"
    for name in ("img", "cls"):
        (dataset / name).mkdir(parents=True)
    for name in ("b", "c", "d", "e"):
        photo(dataset / "img" / f"{name}.jpg")
        savemat(dataset / "cls" / f"{name}.mat", {"GTcls": {"Segmentation": np.full((3, 4), 7, np.uint8)}})
    (dataset / "train.txt").write_text("b\nd\n")
    (dataset / "val.txt").write_text("c\ne\n")
    return dataset.parent


@pytest.mark.parametrize("root", [".", "VOCdevkit", "VOCdevkit/VOC2012"])
def test_a_sample_from_any_root(made: Path, root: str) -> None:
    dataset = VOC(made / root, "train")
    assert isinstance(dataset, Dataset)
    sample = dataset[0]
    assert (len(dataset), sample.name, sample.size, dataset.size(0)) == (2, "a", (3, 4), (3, 4))
    assert sample.mask.tolist() == [[0, 15, 20, 255]] * 3


def test_the_devkits_palette(made: Path) -> None:
    description = VOC(made, "val").describe()
    golden = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 3: (128, 128, 0), 15: (192, 128, 128)}
    assert {index: description.colors[index] for index in golden} == golden
    assert description.classes[15] == "person"
    assert description.things == description.classes[1:]


def test_sbd_adds_to_train_what_is_not_in_val(made: Path) -> None:
    dataset = VOC(made, "train", sbd=with_sbd(made))
    assert [dataset.name(index) for index in range(len(dataset))] == ["a", "b", "d", "e"]
    assert dataset[1].mask[0].tolist() == [0, 15, 20, 255]  # VOC's own mask where there is one
    assert (dataset[2].mask == 7).all()
    assert len(VOC(made, "val", sbd=made / "benchmark_RELEASE")) == 1


def test_a_damaged_mask_of_sbd_is_named(made: Path) -> None:
    folder = with_sbd(made)
    (folder / "dataset/cls/d.mat").write_bytes(b"no matrix")
    with pytest.raises(ValueError, match=r"cls/d\.mat cannot be read as labels of SBD"):
        VOC(made, "train", sbd=folder)[2]


def test_objects_have_the_class_of_their_pixels(made: Path) -> None:
    assert VOC(made, "train").describe().fields == ("image", "mask")
    assert VOC(made, "train")[0].instances is None
    place = with_objects(made)
    dataset = VOC(made, "train")
    assert dataset.describe().fields == ("image", "mask", "instances")
    assert dataset.files(0)[-1] == str(place / "a.png")
    objects = dataset[0].instances
    assert objects.labels.tolist() == [15, 20]
    assert objects.boxes.tolist() == [[1, 0, 2, 3], [2, 0, 3, 3]]  # without the border
    assert objects.masks[:, 0].tolist() == [[False, True, False, False], [False, False, True, False]]


def test_objects_that_do_not_fit_are_named(made: Path) -> None:
    place = with_objects(made)
    Image.fromarray(np.array([[3, 1, 7, 255]] * 3, np.uint8)).save(place / "a.png")
    with pytest.raises(ValueError, match=r"SegmentationObject/a\.png: object 3 is on background or void"):
        VOC(made, "train")[0]
    Image.fromarray(np.zeros((2, 4), np.uint8)).save(place / "a.png")
    with pytest.raises(ValueError, match=r"SegmentationObject/a\.png is 2x4 .*, its class map 3x4"):
        VOC(made, "train")[0]
    (place / "b.png").unlink()
    with pytest.raises(ValueError, match=r"1 missing: .*SegmentationObject/b\.png"):
        VOC(made, "train")


def test_sbd_has_objects_of_its_own(made: Path) -> None:
    with_objects(made)
    sbd = with_sbd(made)
    assert VOC(made, "train", sbd=sbd).describe().fields == ("image", "mask")  # not all of the images have objects
    (sbd / "dataset/inst").mkdir()
    for name in ("b", "c", "d", "e"):
        ids = np.array([[0, 1, 1, 2]] * 3, np.uint8)
        savemat(sbd / "dataset/inst" / f"{name}.mat", {"GTinst": {"Segmentation": ids}})
    dataset = VOC(made, "train", sbd=sbd)
    assert dataset[1].instances.labels.tolist() == [15, 20]
    assert dataset[2].instances.labels.tolist() == [7, 7]
    assert dataset[2].instances.boxes.tolist() == [[1, 0, 3, 3], [3, 0, 4, 3]]


def test_what_is_absent(made: Path) -> None:
    with pytest.raises(MissingSplit, match=r"no labels for the split 'test' .*there are train, val"):
        VOC(made, "test")
    (made / "VOCdevkit/VOC2012/JPEGImages/b.jpg").unlink()
    with pytest.raises(ValueError, match=r"1 missing: .*b\.jpg"):
        VOC(made, "train")
    with pytest.raises(ValueError, match=r"looked for ImageSets/Segmentation"):
        VOC(made / "VOCdevkit/VOC2012/JPEGImages", "train")


def test_the_real_one(shared: Path) -> None:
    train, val = (VOC(shared / "voc-mini", split) for split in ("train", "val"))
    assert (len(train), len(val), len(VOC(shared / "voc-mini", "trainval"))) == (53, 17, 70)
    sample = train[0]
    file = shared / "voc-mini/VOCdevkit/VOC2012/SegmentationClass" / f"{sample.name}.png"
    with Image.open(file) as mask:
        np.testing.assert_array_equal(sample.mask.numpy(), np.asarray(mask))
        colors = np.array(mask.getpalette()).reshape(-1, 3)[:21]
    np.testing.assert_array_equal(colors, train.describe().colors)


def test_real_objects_are_those_of_the_same_annotations_in_coco_json(shared: Path, tmp_path: Path) -> None:
    photos = shared / "voc-labelme"
    (tmp_path / "ImageSets/Segmentation").mkdir(parents=True)
    for name in ("JPEGImages", "SegmentationClass", "SegmentationObject"):
        (tmp_path / name).symlink_to(photos / "data_dataset_voc" / name)
    coco = json.loads((photos / "data_dataset_coco/annotations.json").read_text())
    images = {image["id"]: Path(image["file_name"]).stem for image in coco["images"]}
    (tmp_path / "ImageSets/Segmentation/train.txt").write_text("\n".join(images.values()))
    dataset = VOC(tmp_path, "train")
    for index, key in enumerate(images):
        expected = [one for one in coco["annotations"] if one["image_id"] == key]
        objects = dataset[index].instances
        assert objects.labels.tolist() == [one["category_id"] for one in expected]
        for mask, box, one in zip(objects.masks.numpy(), objects.boxes.tolist(), expected, strict=True):
            drawn = region(one["segmentation"], mask.shape)
            assert (mask & drawn).sum() / (mask | drawn).sum() > 0.9
            x, y, width, height = one["bbox"]
            np.testing.assert_allclose(box, [x, y, x + width, y + height], atol=5)  # pixels: polygons overlap


def test_the_mini_one_without_objects_says_so(shared: Path) -> None:
    dataset = VOC(shared / "voc-mini", "train")
    assert "instances" not in dataset.describe().fields
    assert dataset[0].instances is None
