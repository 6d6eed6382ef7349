"""The scores against torchmetrics, against plain numpy in float64, and against the lecture's own figures."""

import numpy as np
import pytest
import torch
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score, MulticlassJaccardIndex

from src.metric.confusion import Confusion
from src.metric.overlap import accuracy, average, dice, foreground, iou, mean, recall, weighted_iou

CASES = 500
ROW = "91.9 85.6 37.3 83.2 62.5 66 85.1 80.7 84.9 27.2 73.3 57.5 78.1 79.2 81.1 77.1 53.6 74 49.2 71.7 63.3"


def case(seed: int) -> tuple[int, torch.Tensor, torch.Tensor]:
    """Few pixels and up to six classes, so that classes are absent, predicted only or unknown in many a case."""
    draw = torch.Generator().manual_seed(seed)
    classes = int(torch.randint(2, 7, (), generator=draw))
    size = (int(torch.randint(1, 3, (), generator=draw)), 3, int(torch.randint(1, 5, (), generator=draw)))
    target = torch.randint(0, classes, size, generator=draw)
    target[torch.rand(size, generator=draw) < (1 if seed % 30 == 0 else 0.3 * (seed % 2))] = 255
    output = torch.randint(0, classes, size, generator=draw)
    output[torch.rand(size, generator=draw) < 0.5] = 0
    return classes, output, target


def matrix_of(classes: int, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    metric = Confusion(classes)
    metric.update(output, target)
    return metric.compute()


def naive(classes: int, output: np.ndarray, target: np.ndarray) -> dict[str, float]:
    """Straight from the definitions: sets of pixels, one class after another."""
    known = target != 255
    output, target = output[known], target[known]
    kinds = [(output == c, target == c) for c in range(classes)]
    ious = [(o & t).sum() / (o | t).sum() for o, t in kinds if (o | t).any()]
    recalls = [(o & t).sum() / t.sum() for o, t in kinds if t.any()]
    shares = [t.sum() / known.sum() * (o & t).sum() / (o | t).sum() for o, t in kinds if t.any()]
    return {
        "miou": np.mean(ious) if ious else np.nan,
        "dice": np.mean([2 * j / (1 + j) for j in ious]) if ious else np.nan,
        "accuracy": np.mean(output == target) if known.any() else np.nan,
        "mean_accuracy": np.mean(recalls) if recalls else np.nan,
        "fw_iou": np.sum(shares) if shares else np.nan,
    }


def test_equal_to_plain_numpy_in_float64() -> None:
    for seed in range(CASES):
        classes, output, target = case(seed)
        matrix = matrix_of(classes, output, target)
        ours = {
            "miou": average(matrix, iou, "exclude"),
            "dice": average(matrix, dice, "exclude"),
            "accuracy": accuracy(matrix),
            "mean_accuracy": average(matrix, recall, "exclude"),
            "fw_iou": weighted_iou(matrix),
        }
        theirs = naive(classes, output.numpy(), target.numpy())
        assert matrix.sum() == (target != 255).sum()
        for name, value in ours.items():
            assert value.item() == pytest.approx(theirs[name], abs=1e-9, nan_ok=True), (name, seed)


def test_equal_to_torchmetrics() -> None:
    for seed in range(CASES):
        classes, output, target = case(seed)
        if (target == 255).all():
            continue  # torchmetrics warns and gives NaN or 0, by metric
        matrix = matrix_of(classes, output, target)
        options = {"num_classes": classes, "ignore_index": 255, "validate_args": False}
        pairs = {
            "miou": (average(matrix, iou, "exclude"), MulticlassJaccardIndex(average="macro", **options)),
            "iou": (iou(matrix).nan_to_num(0), MulticlassJaccardIndex(average="none", **options)),
            "dice": (average(matrix, dice, "exclude"), MulticlassF1Score(average="macro", **options)),
            "accuracy": (accuracy(matrix), MulticlassAccuracy(average="micro", **options)),
            "recall": (recall(matrix).nan_to_num(0), MulticlassAccuracy(average="none", **options)),
            "fw_iou": (weighted_iou(matrix), MulticlassJaccardIndex(average="weighted", **options)),
        }
        for name, (ours, metric) in pairs.items():
            torch.testing.assert_close(ours.float(), metric(output, target), atol=1e-6, rtol=0, msg=f"{name} {seed}")


def test_cases_hold_what_they_should() -> None:
    """Absent classes, classes that are only predicted, unknown pixels, and nothing known at all."""
    found = {"absent": 0, "predicted only": 0, "unknown": 0, "nothing known": 0}
    for seed in range(CASES):
        classes, output, target = case(seed)
        here, said = set(target.unique().tolist()), set(output[target != 255].unique().tolist())
        found["absent"] += bool(set(range(classes)) - here - said)
        found["predicted only"] += bool(said - here)
        found["unknown"] += 255 in here and len(here) > 1
        found["nothing known"] += here == {255}
    assert min(found.values()) >= 10, found


def test_absent_class_is_excluded_zero_or_one() -> None:
    matrix = torch.tensor([[3, 1, 0], [0, 4, 0], [0, 0, 0]])
    expected = torch.tensor([3 / 4, 4 / 5, float("nan")], dtype=torch.float64)
    torch.testing.assert_close(iou(matrix), expected, equal_nan=True)
    assert mean(iou(matrix)).item() == pytest.approx((3 / 4 + 4 / 5) / 2)
    assert mean(iou(matrix), "zero").item() == pytest.approx((3 / 4 + 4 / 5) / 3)
    assert mean(iou(matrix), "one").item() == pytest.approx((3 / 4 + 4 / 5 + 1) / 3)


def test_class_that_is_only_predicted_has_iou_0_and_counts() -> None:
    matrix = torch.tensor([[3, 1], [0, 0]])
    assert iou(matrix).tolist() == [0.75, 0]
    assert mean(iou(matrix)).item() == 0.375
    assert mean(recall(matrix)).item() == 0.75  # of a class that is not there, nothing can be found


def test_no_answer_is_wrong_and_nobody_s_false_alarm() -> None:
    matrix = torch.tensor([[3, 0, 1], [0, 4, 0]])
    assert iou(matrix).tolist() == [0.75, 1]
    assert accuracy(matrix).item() == 7 / 8
    assert recall(matrix).tolist() == [0.75, 1]


def test_foreground_takes_the_yes_of_each_channel() -> None:
    matrices = torch.tensor([[[9, 1, 0], [2, 2, 0]], [[0, 0, 0], [0, 5, 0]]])
    assert foreground(matrices, iou).tolist() == [2 / 5, 1]


def test_only_some_classes_are_averaged() -> None:
    assert average(torch.diag(torch.tensor([1, 2])) + 1, iou, "exclude", only=[1]).item() == pytest.approx(3 / 5)


def test_lecture_ship() -> None:
    """5 of 100 pixels are ship and none was found: 95 % accuracy, 47.5 % mIoU."""
    target = torch.zeros(1, 10, 10, dtype=torch.long)
    target[0, 0, :5] = 1
    matrix = matrix_of(2, torch.zeros_like(target), target)
    assert accuracy(matrix).item() == pytest.approx(0.95)
    assert average(matrix, iou, "exclude").item() == pytest.approx(0.475)


def test_lecture_row_of_classes() -> None:
    """The unlabelled row of 21 figures averages 69.64."""
    row = torch.tensor([float(value) for value in ROW.split()], dtype=torch.float64)
    assert len(row) == 21
    assert mean(row).item() == pytest.approx(69.64, abs=0.005)
