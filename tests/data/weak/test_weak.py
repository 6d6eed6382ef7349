import numpy as np
import pytest
import torch

from src.data.datamodule import DataModule
from src.data.interface import Dataset
from src.data.scenes import Scenes
from src.data.superpixels import superpixels
from src.data.weak.clicks import Clicks
from src.data.weak.weak import Weak, spread

SCENES = Scenes("train", (48, 64), {"train": 3})


def test_the_rest_of_the_sample_stays() -> None:
    dataset, dense = Weak(SCENES, Clicks()), SCENES[1]
    assert isinstance(dataset, Dataset)
    assert dataset.describe() == SCENES.describe()
    assert (len(dataset), dataset.name(1), dataset.size(1), dataset.files(1)) == (3, dense.name, dense.size, ())
    assert torch.equal(dataset[1].image, dense.image)
    assert torch.equal(dataset[1].depth, dense.depth)
    known = dataset[1].mask != 255
    assert 0 < known.sum() < 30
    assert torch.equal(dataset[1].mask[known], dense.mask[known])


def test_marks_depend_on_seed_and_name_alone() -> None:
    mask = Weak(SCENES, Clicks())[2].mask
    torch.manual_seed(1)
    np.random.seed(1)
    assert torch.equal(Weak(SCENES, Clicks())[2].mask, mask)
    assert not torch.equal(Weak(SCENES, Clicks(), click_seed=1)[2].mask, mask)


def test_a_superpixel_takes_the_class_that_is_marked_in_it() -> None:
    regions = np.array([[0, 0, 1, 1], [2, 2, 3, 3]])
    marks = np.array([[7, 255, 255, 255], [4, 5, 255, 0]], np.uint8)
    assert spread(marks, regions).tolist() == [[7, 7, 255, 255], [255, 255, 0, 0]]


def test_spread_clicks_know_more_and_are_mostly_right() -> None:
    spread_, dense = Weak(SCENES, Clicks(), superpixels=60)[0], SCENES[0]
    known = spread_.mask != 255
    assert known.float().mean() > 0.1
    assert (spread_.mask[known] == dense.mask[known]).float().mean() > 0.8
    regions = superpixels(torch.as_tensor(dense.image) / 255, 60)
    assert all(len(spread_.mask[regions == one].unique()) == 1 for one in range(int(regions.max()) + 1))


def test_masks_that_cannot_be_marked() -> None:
    class Pictures(Scenes):
        def describe(self):
            return type(super().describe())(fields=("image",))

    with pytest.raises(ValueError, match="this dataset has none"):
        Weak(Pictures("train"), Clicks())


def test_the_share_of_labelled_pixels_is_said_and_the_other_splits_are_whole(tmp_path, capsys) -> None:
    options = {
        "resolution": (24, 32),
        "lengths": {"train": 4, "val": 2},
        "cache_folder": str(tmp_path),
        "batch_size": 2,
    }
    data = DataModule(Scenes, weak=lambda dataset: Weak(dataset, Clicks()), **options)
    data.check("train", "val")
    known = sum(int((data.split("train")[index].mask != 255).sum()) for index in range(4))
    assert f"data.weak: {known / (4 * 24 * 32):.3%} of the training's pixels are labelled" in capsys.readouterr().out
    assert (data.split("val")[0].mask != 255).all()
    assert int(data.frequencies()[0].sum()) == known
