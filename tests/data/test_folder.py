from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from src.data.flaw import flaw
from src.data.folder import Folder
from src.data.interface import Dataset

RNG = np.random.default_rng(0)
INDEX = RNG.integers(0, 3, (6, 8), dtype=np.uint8)


def made(folder: Path, image: np.ndarray, mask: np.ndarray, count: int = 5, suffix: str = ".png") -> Path:
    for part in ("images", "masks"):
        (folder / part).mkdir(exist_ok=True)
    for index in range(count):
        path = folder / f"images/{index}{suffix}"
        np.save(path, image) if suffix == ".npy" else Image.fromarray(image).save(path)
        Image.fromarray(mask).save(folder / f"masks/{index}.png")
    return folder


def picture(channels: int, dtype: type = np.uint8) -> np.ndarray:
    return RNG.integers(0, np.iinfo(dtype).max, (6, 8, channels), dtype=dtype, endpoint=True).squeeze()


def test_indices(tmp_path: Path) -> None:
    dataset = Folder(made(tmp_path, picture(3), INDEX), "train", classes=["a", "b", "c"], things=["c"])
    assert isinstance(dataset, Dataset)
    np.testing.assert_array_equal(dataset[0].mask.numpy(), INDEX)
    assert (len(dataset), dataset.size(0)) == (4, (6, 8))
    assert dataset.name(0) in "01234"
    assert len(dataset.files(0)) == 2
    description = dataset.describe()
    assert (description.classes, description.things, description.channels) == (("a", "b", "c"), ("c",), 3)


def test_palettes_are_indices(tmp_path: Path) -> None:
    root = made(tmp_path, picture(3), INDEX)
    for path in (root / "masks").iterdir():
        mask = Image.fromarray(INDEX, mode="P")
        mask.putpalette([5, 5, 5, 0, 0, 0, 9, 9, 9])
        mask.save(path)
    np.testing.assert_array_equal(Folder(root, "train", classes=3)[0].mask.numpy(), INDEX)
    colors = [[0, 0, 0], [5, 5, 5], [9, 9, 9]]
    by_color = Folder(root, "train", classes=3, colors=colors)[0].mask.numpy()
    np.testing.assert_array_equal(by_color, np.array([1, 0, 2])[INDEX])


def test_colors(tmp_path: Path) -> None:
    colors = {"road": [128, 64, 128], "sky": [70, 130, 180], "car": [0, 0, 142]}
    root = made(tmp_path, picture(3), np.array(list(colors.values()), np.uint8)[INDEX])
    dataset = Folder(root, "train", colors=colors)
    np.testing.assert_array_equal(dataset[0].mask.numpy(), INDEX)
    assert dataset.describe().colors[2] == (0, 0, 142)
    with pytest.raises(ValueError, match=r"masks/\d\.png cannot be read: .*say which color is which class"):
        Folder(root, "train", classes=3)[0]


def test_binary_and_its_refusal(tmp_path: Path) -> None:
    root = made(tmp_path, picture(1), (INDEX > 0).astype(np.uint8) * 255)
    dataset = Folder(root, "train", values="binary")
    np.testing.assert_array_equal(dataset[0].mask.numpy(), INDEX > 0)
    assert dataset.describe().channels == 1
    with pytest.raises(ValueError, match=r"255 in \d+ pixels.*data\.values=binary \(255 -> 1\)"):
        Folder(root, "train", classes=2)[0]
    assert set(Folder(root, "train", classes=2, void=255)[0].mask.unique().tolist()) == {0, 255}


def test_one_bit_masks_are_0_and_1(tmp_path: Path) -> None:
    root = made(tmp_path, picture(1), INDEX > 0)
    for options in ({"classes": 2}, {"values": "binary"}):
        np.testing.assert_array_equal(Folder(root, "train", **options)[0].mask.numpy(), INDEX > 0)


def test_declared_ids_of_16_bits(tmp_path: Path) -> None:
    ids = np.array([1000, 2000, 65535], np.uint16)[INDEX]
    dataset = Folder(
        made(tmp_path, picture(3), ids),
        "train",
        classes=["road", "path"],
        values={1000: "road", 2000: "path"},
        void=65535,
    )
    np.testing.assert_array_equal(dataset[0].mask.numpy(), np.array([0, 1, 255])[INDEX])
    assert dataset.describe().classes == ("road", "path")


def test_a_mask_saved_as_jpeg_is_refused(tmp_path: Path) -> None:
    root = made(tmp_path, picture(3), INDEX)
    for path in list((root / "masks").iterdir()):
        path.unlink()
        Image.fromarray(np.kron(INDEX, np.ones((1, 1), np.uint8)) * 100).save(path.with_suffix(".jpg"), quality=30)
    with pytest.raises(ValueError, match=r"masks/\d\.jpg holds undeclared values: .* saved as JPEG"):
        Folder(root, "train", classes=["a", "b", "c"], values={0: 0, 100: 1, 200: 2})[0]


@pytest.mark.parametrize(("channels", "suffix"), [(1, ".png"), (1, ".tif"), (4, ".npy"), (3, ".npy")])
def test_16_bits_are_kept(tmp_path: Path, channels: int, suffix: str) -> None:
    image = picture(channels, np.uint16)
    dataset = Folder(made(tmp_path, image, INDEX, suffix=suffix), "train", classes=3)
    assert dataset[0].image.dtype == torch.uint16
    np.testing.assert_array_equal(dataset[0].image.numpy(), np.atleast_3d(image).transpose(2, 0, 1))
    description = dataset.describe()
    assert (description.channels, description.value_range) == (channels, (0.0, 65535.0))


def test_rgba_is_a_picture_unless_4_channels_are_asked_for(tmp_path: Path) -> None:
    root = made(tmp_path, picture(4), INDEX)
    assert Folder(root, "train", classes=3).describe().channels == 3
    four = Folder(root, "train", classes=3, channels=4)
    assert four[0].image.shape == (4, 6, 8)
    assert four.describe().channels == 4


def test_a_grey_image_among_colored_ones(tmp_path: Path) -> None:
    root = made(tmp_path, picture(3), INDEX, count=10)
    dataset = Folder(root, "train", classes=3)
    Image.fromarray(INDEX).save(root / f"images/{dataset.name(3)}.png")
    assert {dataset[index].image.shape[0] for index in range(len(dataset))} == {3}


def test_images_unlike_the_first_are_refused(tmp_path: Path) -> None:
    root = made(tmp_path, picture(1), INDEX)
    Image.fromarray(picture(1, np.uint16)).save(root / "images/3.png")
    Image.fromarray(picture(3)).save(root / "images/4.png")
    samples = {
        dataset.name(index): (dataset, index)
        for dataset in (Folder(root, split, classes=3) for split in ("train", "val"))
        for index in range(len(dataset))
    }
    for name, reason in (("3", r"holds uint16, .*0\.png uint8"), ("4", "it has 3 channels, where 1 were asked for")):
        dataset, index = samples[name]
        with pytest.raises(ValueError, match=rf"images/{name}\.png.* {reason}"):
            dataset[index]


def test_floats_say_their_range(tmp_path: Path) -> None:
    root = made(tmp_path, RNG.random((6, 8)).astype(np.float32), INDEX, suffix=".npy")
    with pytest.raises(ValueError, match=r"0\.npy holds floats: say .*data\.value_range=\[0,1\]"):
        Folder(root, "train", classes=3)
    dataset = Folder(root, "train", classes=3, value_range=[0, 1])
    assert dataset[0].image.dtype == torch.float32
    assert dataset.describe().value_range == (0.0, 1.0)
    with pytest.raises(ValueError, match=r"outside data\.value_range=\[0\.0, 0\.1\]"):
        Folder(root, "train", classes=3, value_range=[0, 0.1])[0]


def test_overlapping_masks(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for index in range(5):
        Image.fromarray(picture(3)).save(tmp_path / f"images/{index}.png")
        for name, mask in (("car", (INDEX > 0) * np.uint8(255)), ("wheel", (INDEX > 1) * np.uint8(1))):
            (tmp_path / "masks" / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask).save(tmp_path / f"masks/{name}/{index}.png")
    dataset = Folder(tmp_path, "train", multilabel=True)
    assert dataset.describe().multilabel
    assert dataset.describe().classes == ("car", "wheel")
    np.testing.assert_array_equal(dataset[0].mask.numpy(), np.stack([INDEX > 0, INDEX > 1]))
    unknown = Folder(tmp_path, "train", multilabel=True, classes=["car"], void=255)
    np.testing.assert_array_equal(unknown[0].mask.numpy(), (INDEX > 0)[None] * 255)
    (tmp_path / "masks/car/3.png").unlink()
    with pytest.raises(ValueError, match=r"1 without a mask: .*images/3\.png"):
        Folder(tmp_path, "train", multilabel=True)
    with pytest.raises(ValueError, match="no csv and no values beside it"):
        Folder(tmp_path, "train", multilabel=True, values="binary")
    with pytest.raises(ValueError, match=r"needs a folder per class in .*there are \['car', 'wheel'\]"):
        Folder(tmp_path, "train", multilabel=True, classes=3)


def test_images_alone(tmp_path: Path) -> None:
    dataset = Folder(made(tmp_path, picture(3), INDEX), "train", masks=None)
    assert dataset.describe().fields == ("image",)
    assert dataset[0].mask is None


def test_large_images_are_refused(tmp_path: Path) -> None:
    root = made(tmp_path, picture(3), INDEX)
    with pytest.raises(ValueError, match="it is 6x8, more than 40 pixels"):
        Folder(root, "train", classes=3, max_pixels=40)


def test_no_such_root(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"data\.root=.* is no folder"):
        Folder(tmp_path / "nowhere", "train", classes=3)


def test_real_membranes(shared: Path) -> None:
    dataset = Folder(shared / "isbi2012/train", "train", images="image", masks="label", values="binary")
    assert (len(dataset), dataset.describe().channels) == (19, 1)
    assert dataset[0].mask.unique().tolist() == [0, 1]


def test_real_photos_with_a_grey_one_and_category_ids(shared: Path) -> None:
    root = shared / "coco-panoptic"
    dataset = Folder(root, "train", "train2017", "semantic_train2017", classes=201, void=255)
    assert dataset.describe().channels == 3
    assert {dataset[index].image.shape[0] for index in range(len(dataset))} == {3}


def test_what_images_have_in_common_is_read_off_the_first_that_can_be_read(tmp_path: Path) -> None:
    root = made(tmp_path, picture(1), INDEX, count=3)
    (root / "images/0.png").write_bytes(b"broken")
    dataset = Folder(root, "train", classes=3)
    assert dataset.describe().channels == 1
    for index in (1, 2):
        (root / f"images/{index}.png").write_bytes(b"broken")
    with pytest.raises(ValueError, match=r"0\.png cannot be read"):
        Folder(root, "train", classes=3)


def deep(root: Path, split: str = "") -> Path:
    """Three pictures with depth in millimetres and normals that look at the camera."""
    for index in range(3):
        name = f"{split}/{index}.png" if split else f"{index}.png"
        for folder in ("images", "depth", "facing"):
            (root / folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(3)).save(root / "images" / name)
        Image.fromarray(np.full((SIZE), 1500 + index, np.uint16)).save(root / "depth" / name)
        Image.fromarray(np.full((*SIZE, 3), (128, 128, 0), np.uint8)).save(root / "facing" / name)
    return root


SIZE = picture(3).shape[:2]
DEEP = {"masks": None, "depths": "depth", "val_fraction": 0.0}


@pytest.mark.parametrize("split", ["", "train"])
def test_depth_and_normals_of_the_same_name(tmp_path: Path, split: str) -> None:
    dataset = Folder(deep(tmp_path, split), "train", normals="facing", camera=[9, 8, 3, 2], **DEEP)
    assert dataset.describe().fields == ("image", "depth", "normals", "camera")
    sample = dataset[2]
    assert (sample.depth == 1.502).all()
    assert (sample.normals[2] < -0.99).all()
    assert sample.camera.tolist() == [[9, 0, 3], [0, 8, 2], [0, 0, 1]]
    assert flaw(sample, dataset.describe()) is None
    assert [Path(file).parent.relative_to(tmp_path).parts[0] for file in dataset.files(2)] == [
        "images",
        "depth",
        "facing",
    ]
    assert Folder(tmp_path, "train", depth_scale=100, **DEEP)[2].depth.max() == pytest.approx(15.02)


def test_normals_are_computed_from_depth_and_camera(tmp_path: Path) -> None:
    for index in range(2):
        (tmp_path / "images").mkdir(exist_ok=True)
        (tmp_path / "depth").mkdir(exist_ok=True)
        Image.new("RGB", (20, 16)).save(tmp_path / f"images/{index}.png")
        np.save(tmp_path / f"depth/{index}.npy", np.full((16, 20), 2.0, np.float32))
    sample = Folder(tmp_path, "train", normals="computed", camera=[20, 20, 9.5, 7.5], **DEEP)[0]
    facing = sample.normals[:, 3:-3, 3:-3]
    assert torch.allclose(facing.as_subclass(torch.Tensor), torch.tensor([0.0, 0, -1])[:, None, None].expand_as(facing))
    with pytest.raises(ValueError, match=r"data\.normals=computed needs data\.depths, and data\.camera"):
        Folder(tmp_path, "train", normals="computed", **DEEP)


def test_what_does_not_go_with_the_images_is_named(tmp_path: Path) -> None:
    root = deep(tmp_path)
    Image.fromarray(np.ones((3, 7), np.uint16)).save(root / "depth/1.png")
    dataset = Folder(root, "train", **DEEP)
    with pytest.raises(ValueError, match=r"images/1\.png is .*depth/1\.png is 3x7: they need one size"):
        dataset[1]
    (root / "depth/0.png").unlink()
    (root / "depth/2.tif").touch()
    with pytest.raises(ValueError, match=r"2 of the same name: .*2\.png, .*2\.tif\n  1 without depths: 0"):
        Folder(root, "train", **DEEP)
    with pytest.raises(ValueError, match=r"/away is no folder: say where the depths"):
        Folder(root, "train", **{**DEEP, "depths": "away"})
    with pytest.raises(ValueError, match=r"data\.camera=\[1, 2, 3\]"):
        Folder(root, "train", camera=[1, 2, 3], **DEEP)
