"""What tasks that find objects are scored by: names, their order, and what is left out."""

import io
import math
import warnings

import pytest
import torch
from rich.console import Console
from torchmetrics import MeanMetric, Metric

from src.data.description import Description
from src.data.sample import Instances
from src.metric import suite
from src.metric.table import table

AP = ["ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar", "ar_small", "ar_medium", "ar_large"]
AP += ["ar1", "ar10", "ap/cat", "ap/dog"]
OKS = ["ap", "ap50", "ap75", "ap_medium", "ap_large", "ar", "ar_medium", "ar_large", "ar50", "ar75", "ap/cat", "ap/dog"]
MATCHED = ["matched/iou", "matched/dice", "matched/precision", "matched/recall"]
MAP = ["map/miou", "map/dice"]
CLASSES = Description(
    ("image", "instances"),
    ("sky", "cat", "dog"),
    ((0, 0, 0),) * 3,
    things=("cat", "dog"),
    keypoints=("nose", "tail"),
    sigmas=(0.05, 0.1),
)


def there(**more) -> Instances:
    """A cat of 40 by 40 pixels and a dog of 60 by 20."""
    boxes = torch.tensor([[0.0, 0, 40, 40], [40, 50, 100, 70]])
    masks = torch.zeros(2, 80, 120, dtype=torch.bool)
    masks[0, :40, :40], masks[1, 50:70, 40:100] = True, True
    points = torch.tensor([[[20.0, 10, 2], [30, 35, 1]], [[45, 60, 2], [95, 60, 0]]])
    return Instances(boxes, torch.tensor([1, 2]), **{"masks": masks, "keypoints": points} | more)


def found(**more) -> Instances:
    """The same, but the dog is seen at half its width only."""
    same = there()
    masks = same.masks.clone()
    masks[1, :, 70:] = False
    boxes = torch.tensor([[0.0, 0, 40, 40], [40, 50, 70, 70]])
    values = {"masks": masks, "keypoints": same.keypoints, "scores": torch.tensor([0.9, 0.6])} | more
    return Instances(boxes, same.labels, **values)


def scored(scores, output: list[Instances], target: list[Instances]) -> dict[str, float]:
    scores.update(output, target)
    return suite.flat(scores.compute(), CLASSES)


def test_masks_come_first_then_boxes_then_what_is_matched_and_painted() -> None:
    numbers = scored(suite.instance(CLASSES, masks=True, threshold=0.5), [found()], [there()])
    assert list(numbers) == [*AP, *(f"box/{name}" for name in AP), *MATCHED, *MAP]
    assert all(type(value) is float for value in numbers.values())
    assert numbers["ap/cat"] == pytest.approx(1)
    assert numbers["ap/dog"] == pytest.approx(0.1)  # IoU 0.5 is enough for the first of ten thresholds
    assert numbers["ap"] == numbers["box/ap"] == pytest.approx(0.55)
    assert numbers["ap50"] == pytest.approx(1)
    assert math.isnan(numbers["ap_small"])
    assert (numbers["matched/iou"], numbers["matched/recall"]) == (0.75, 1)
    assert numbers["map/miou"] == pytest.approx(((9600 - 2800) / (9600 - 2200) + 1 + 0.5) / 3)


def test_what_is_uncertain_counts_for_precision_only() -> None:
    numbers = scored(suite.instance(CLASSES, masks=True, threshold=0.7), [found()], [there()])
    assert numbers["ap"] == pytest.approx(0.55)
    assert (numbers["matched/iou"], numbers["matched/recall"], numbers["matched/precision"]) == (1, 0.5, 1)
    assert numbers["map/miou"] == pytest.approx((6800 / 8000 + 1 + 0) / 3)


def test_without_masks_the_boxes_are_the_headline() -> None:
    numbers = scored(suite.instance(CLASSES, masks=False, threshold=0.5), [found(masks=None)], [there()])
    assert list(numbers) == [f"box/{name}" for name in AP]
    assert numbers["box/ap"] == pytest.approx(0.55)


def test_sizes_of_objects_do_not_depend_on_whether_the_model_has_masks() -> None:
    """A ring of few pixels in a large box is small, as COCO has it."""
    masks = torch.zeros(1, 80, 120, dtype=torch.bool)
    masks[0, :60, 0], masks[0, 0, :60] = True, True
    ring = Instances(torch.tensor([[0.0, 0, 60, 60]]), torch.tensor([1]), masks)
    seen = Instances(ring.boxes, ring.labels, masks, scores=torch.tensor([0.9]))
    for kept in (True, False):
        numbers = scored(suite.instance(CLASSES, masks=kept, threshold=0.5), [seen], [ring])
        assert (numbers["box/ap_small"], numbers["box/ar_small"]) == (pytest.approx(1), 1)
        assert math.isnan(numbers["box/ap_medium"])


def test_keypoints_come_first_and_say_which_are_correct() -> None:
    numbers = scored(suite.keypoint(CLASSES, masks=False, threshold=0.5), [found(masks=None)], [there(masks=None)])
    assert list(numbers) == [*OKS, *(f"box/{name}" for name in AP), "pck"]
    assert numbers["ap"] == pytest.approx(1)
    assert numbers["box/ap"] == pytest.approx(0.55)
    assert numbers["pck"] == 1
    with_masks = scored(suite.keypoint(CLASSES, masks=True, threshold=0.5), [found()], [there()])
    prefixed = [f"{kind}/{name}" for kind in ("box", "mask") for name in AP]
    assert list(with_masks) == [*OKS, *prefixed, "pck", *MATCHED, *MAP]
    assert with_masks["mask/ap"] == pytest.approx(0.55)


def test_a_target_without_masks_leaves_those_scores_undefined_and_the_others_as_they_are() -> None:
    both = scored(suite.keypoint(CLASSES, masks=True, threshold=0.5), [found()], [there()])
    numbers = scored(suite.keypoint(CLASSES, masks=True, threshold=0.5), [found()], [there(masks=None)])
    undefined = [name for name in numbers if name.startswith(("mask/", "matched/", "map/"))]
    assert len(undefined) == len(AP) + len(MATCHED) + len(MAP)
    assert all(math.isnan(numbers[name]) for name in undefined)
    assert all(numbers[name] == both[name] for name in ("ap", "ap50", "box/ap", "pck"))


def test_keypoints_are_judged_by_the_area_of_the_mask_or_what_the_dataset_says() -> None:
    """The same error is worse on a smaller object."""
    moved = found(keypoints=there().keypoints + torch.tensor([4.0, 0, 0]))
    build = suite.keypoint
    sizes = {"mask": there(), "box": there(masks=None), "said": there(areas=torch.tensor([100.0, 100.0]))}
    figures = {
        name: scored(build(CLASSES, masks=False, threshold=0.5), [moved], [one])["ap"] for name, one in sizes.items()
    }
    assert figures["mask"] == figures["box"] > figures["said"]


def test_empty_images_and_nothing_at_all() -> None:
    no_box, no_label, no_mask = torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), torch.zeros(0, 80, 120)
    points = torch.zeros(0, 2, 3)
    empty = Instances(no_box, no_label, no_mask, points)
    silent = Instances(no_box, no_label, no_mask, points, scores=torch.zeros(0))
    for build in (suite.instance, suite.keypoint):
        scores = build(CLASSES, masks=True, threshold=0.5)
        numbers = scored(scores, [silent, silent], [empty, empty])
        assert all(math.isnan(value) for name, value in numbers.items() if not name.startswith("map/"))
        assert numbers["map/miou"] == 1  # background everywhere, and so it was said
        numbers = scored(scores, [found(), silent], [empty, there()])
        assert (numbers["ap"], numbers["ap/cat"], numbers["matched/precision"], numbers["matched/recall"]) == (
            0,
            0,
            0,
            0,
        )


class Count(Metric):
    """Of objects found."""

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, output: list[Instances], target: list[Instances]) -> None:
        self.total += sum(map(len, output))

    def compute(self) -> torch.Tensor:
        return self.total


def test_metrics_of_ones_own_see_the_same_objects() -> None:
    numbers = scored(suite.instance(CLASSES, masks=True, threshold=0.5, extra={"aaa": Count()}), [found()], [there()])
    assert (next(iter(numbers)), numbers["aaa"]) == ("ap", 2)
    for name in ("ap50", "box/ap/dog", "map/miou", "matched/iou"):
        with pytest.raises(ValueError, match=f"extra metrics may not be called {name}"):
            suite.instance(CLASSES, masks=True, threshold=0.5, extra={name: MeanMetric()})


def test_the_table_shows_groups_and_what_is_not_defined() -> None:
    numbers = scored(
        suite.instance(CLASSES, masks=True, threshold=0.5), [found()], [there(areas=torch.full((2,), 99.0))]
    )
    numbers["ap/dog"] = math.nan
    console = Console(width=60, file=io.StringIO())
    console.print(table(numbers, CLASSES))
    lines = [line.split() for line in console.file.getvalue().splitlines() if line.strip()]
    assert lines[1] == ["ap", "0.5500"]
    assert ["ap_large", "n/a"] in lines
    assert lines[-6:] == [
        ["AP", "of", "class"],
        ["cat", "1.0000"],
        ["dog", "n/a"],
        ["AP", "of", "the", "boxes", "of", "class"],
        ["cat", "1.0000"],
        ["dog", "0.1000"],
    ]


def test_nothing_is_said_while_scoring(capsys: pytest.CaptureFixture[str]) -> None:
    """The library would tell its progress, and warn of ids that are 0."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scored(suite.keypoint(CLASSES, masks=True, threshold=0.5), [found()], [there()])
    assert capsys.readouterr() == ("", "")
