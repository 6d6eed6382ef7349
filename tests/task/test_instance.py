"""What the tasks of objects hand to a detector, and what they make of its answer; the detector is made up."""

from functools import partial

import pytest
import torch
from torch import nn

from src.data.description import Description
from src.data.sample import Batch, Instances
from src.loss.mask_rcnn import MaskRCNN
from src.task.instance import Instance
from src.task.keypoint import Keypoint

FACTS = {"fields": ("image", "instances"), "classes": ("sky", "cat", "dog"), "colors": ((9, 9, 9),) * 3}
DESCRIPTION = Description(**FACTS, things=("cat", "dog"))
CAT, DOG = 1, 2


class Finder(nn.Module):
    """Notes what it is given, and finds one sure dog and one doubtful cat in each image."""

    masks = True

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.layer, self.numbers = nn.Conv2d(in_channels, 1, 1), (in_channels, out_channels)

    def forward(self, images, targets=None, sizes=None):
        self.given = images, targets, sizes
        if self.training:
            return {"class": self.layer.weight.sum() * 0 + 2.0, "box": torch.tensor(0.5)}
        return [self._found(*size) for size in sizes]

    def _found(self, height: int, width: int) -> Instances:
        masks = torch.zeros(2, height, width, dtype=torch.bool)
        masks[0, : height // 2], masks[1, height // 2 :] = True, True
        boxes = torch.tensor([[0.0, 0, width, height // 2], [0, height // 2, width, height]])
        return Instances(boxes, torch.tensor([1, 0]), masks, scores=torch.tensor([0.9, 0.2]))


def target(height: int, width: int) -> Instances:
    masks = torch.zeros(3, height, width, dtype=torch.bool)
    masks[0, : height // 2], masks[1, height // 2 :], masks[2] = True, True, True
    boxes = torch.tensor([[0.0, 0, width, height // 2], [0, height // 2, width, height], [0, 0, width, height]])
    return Instances(boxes, torch.tensor([DOG, CAT, CAT]), masks, crowd=torch.tensor([False, False, True]))


def batch(height: int = 8, width: int = 12) -> Batch:
    """Two images, the second of which is smaller than the block they stand in."""
    sizes = [(height, width), (height - 2, width - 4)]
    return Batch(
        image=torch.rand(2, 3, height, width),
        instances=[target(*size) for size in sizes],
        size=sizes,
        extent=sizes,
        name=["a", "b"],
    )


def task(kind=Instance, description=DESCRIPTION, model=Finder, **options):
    optimizer = partial(torch.optim.SGD, lr=0.1)
    return kind(description, model, MaskRCNN({"box": 2.0}), optimizer, **options)


def test_a_detector_is_built_for_the_countable_classes():
    assert task().model.numbers == (3, 2)


def test_it_sees_the_images_without_their_padding_and_learns_no_crowds():
    made = task().train()
    given = batch()
    made(given)
    images, targets, _ = made.model.given
    assert [tuple(image.shape) for image in images] == [(3, 8, 12), (3, 6, 8)]
    assert torch.equal(images[1], given.image[1, :, :6, :8])
    assert [objects.labels.tolist() for objects in targets] == [[1, 0], [1, 0]]  # among cat and dog
    assert all(objects.masks.shape[0] == 2 for objects in targets)


def test_terms_are_weighted_and_an_answer_has_no_price():
    made, given = task(), batch()
    terms = made.losses(made.train()(given), given)
    assert {name: term.item() for name, term in terms.items()} == {"class": 2.0, "box": 1.0}
    assert made.losses(made.eval()(given), given) == {}


def test_objects_come_back_in_the_classes_of_the_dataset_and_pixels_of_the_file():
    made, given = task().eval(), batch()
    answer = made.answer(made(given))
    assert made.model.given[2] == given.size
    assert [objects.labels.tolist() for objects in answer] == [[DOG, CAT], [DOG, CAT]]
    made.suites["val"].update(answer, made.target(given))
    scores = made.named_scores(made.suites["val"].compute())
    assert next(iter(scores)) == "score"
    assert scores["score"] == scores["ap"] == pytest.approx(1.0)
    assert scores["matched/recall"] == pytest.approx(0.5)  # only the dogs score enough to be shown


def test_pictures_show_what_is_sure():
    made, given = task().eval(), batch(64, 96)
    given.size[1] = given.size[0]
    given.instances[1] = target(64, 96)
    panels = made.panels(given, made(given))
    assert {name: tuple(panel.shape) for name, panel in panels.items()} == dict.fromkeys(
        ("image", "target", "prediction"), (2, 3, 64, 96)
    )
    changed = (panels["prediction"][0] != panels["image"][0]).any(0)
    assert changed[:32].float().mean() > 0.5  # the dog
    assert changed[36:].float().mean() < 0.05  # the cat is not drawn


def test_a_dataset_without_things_is_refused():
    with pytest.raises(ValueError, match="names no things"):
        task(description=Description(**FACTS))


def test_keypoints_are_asked_of_the_dataset():
    with pytest.raises(ValueError, match="this dataset describes none"):
        task(Keypoint)
    asked = {}

    def model(**numbers):
        asked.update(numbers)
        return Finder(numbers["in_channels"], numbers["out_channels"])

    points = {"keypoints": ("nose", "tail"), "sigmas": (0.1, 0.1)}
    task(Keypoint, Description(**FACTS, things=("cat", "dog"), **points), model)
    assert asked == {"in_channels": 3, "out_channels": 2, "num_keypoints": 2}
