import json
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from src.data.description import Description
from src.data.sample import Batch
from src.loss.dice import Dice
from src.task.semantic import Semantic


class Net(nn.Module):
    """Two classes by the sign of the first channel."""

    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.score = nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, image):
        return self.score(image)


@pytest.fixture
def task():
    def build(multilabel=False, **options):
        description = Description(
            ("image", "mask"), ("a", "b"), ((0, 0, 0), (9, 9, 9)), channels=1, multilabel=multilabel
        )
        made = Semantic(description, Net, Dice(), partial(torch.optim.SGD, lr=0.1), multilabel=multilabel, **options)
        made.model.score.weight.data = torch.tensor([-1.0, 1.0]).reshape(2, 1, 1, 1)
        made.model.score.bias.data.zero_()
        return made.eval()

    return build


def batch(mask, size):
    return Batch(torch.rand(1, 1, 4, 4), mask, name=["x"], size=[size])


def test_evaluation_answers_at_the_size_of_the_file(task):
    example = batch(torch.zeros(1, 7, 9, dtype=torch.uint8), (7, 9))
    assert task()(example).shape == (1, 2, 7, 9)
    assert task().train()(example).shape == (1, 2, 4, 4)


def test_an_answer_is_the_most_probable_class(task):
    output = torch.tensor([[1.0, -2.0], [0.5, 3.0]]).T.reshape(1, 2, 1, 2)
    assert task().answer(output).flatten().tolist() == [0, 1]


def test_where_masks_overlap_every_class_that_is_probable_enough(task):
    output = torch.tensor([2.0, 0.5]).reshape(1, 2, 1, 1)
    assert task(multilabel=True).answer(output).flatten().tolist() == [1, 1]
    assert task(multilabel=True, threshold=0.8).answer(output).flatten().tolist() == [1, 0]


def test_images_are_scaled_by_the_range_of_the_dataset(task):
    moved = task().on_after_batch_transfer(Batch(torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(1, 1, 1, 3)), 0)
    assert moved.image.flatten().tolist() == pytest.approx([0, 0.2, 1])


def test_panels_show_right_wrong_and_unknown(task):
    mask = torch.tensor([[[0, 1, 255, 1]] * 4], dtype=torch.uint8)
    answer = torch.tensor([[[0, 0, 0, 1]] * 4], dtype=torch.uint8)
    error = task().panels(batch(mask, (4, 4)), answer)["error"][0, :, 0]
    green, red, grey = (32, 140, 72), (214, 48, 49), (160, 160, 160)
    assert [tuple(color) for color in error.T.tolist()] == [green, red, grey, green]


def test_the_dataset_and_the_task_must_agree_on_overlap(task):
    description = Description(("image", "mask"), ("a",), ((0, 0, 0),), multilabel=True)
    with pytest.raises(ValueError, match=r"task\.multilabel=False, but the dataset has overlapping masks"):
        Semantic(description, Net, Dice(), partial(torch.optim.SGD, lr=0.1))


@pytest.mark.parametrize("loss", ["dice", "binary_cross_entropy", "focal"])
def test_overlapping_masks_from_folder_to_scores(run, tmp_path, loss):
    random = np.random.default_rng(0)
    for index in range(8):
        (tmp_path / "images").mkdir(exist_ok=True)
        Image.fromarray(random.integers(0, 255, (32, 32, 3), np.uint8)).save(tmp_path / "images" / f"{index}.png")
        for name in ("cell", "nucleus"):
            (tmp_path / "masks" / name).mkdir(parents=True, exist_ok=True)
            mask = 255 * random.integers(0, 2, (32, 32), np.uint8)
            Image.fromarray(mask).save(tmp_path / "masks" / name / f"{index}.png")
    folder = run(
        "data=folder",
        f"data.root={tmp_path}",
        "data.classes=[cell,nucleus]",
        "data.multilabel=true",
        "task.multilabel=true",
        "data.val_fraction=0.5",
        f"loss={loss}",
    )
    results = json.loads((folder / "results.json").read_text())
    assert {"iou/cell", "iou/nucleus", "dice", "miou"} <= set(results["val"])
    assert 0 < results["val"]["miou"] < 1
