"""Every semantic score against implementations that know nothing of ours, over random cases and corners of them."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from skimage.metrics import contingency_table
from torch import Tensor
from torchmetrics.classification import (
    MulticlassAccuracy,
    MulticlassConfusionMatrix,
    MulticlassF1Score,
    MulticlassJaccardIndex,
)

from src.data.description import UNKNOWN, Description
from src.metric.suite import semantic

SCORES = ("miou", "dice", "accuracy", "mean_accuracy", "fw_iou", "iou")


def described(classes: int, multilabel: bool = False) -> Description:
    names = tuple(f"class {index}" for index in range(classes))
    return Description(("mask",), names, ((0, 0, 0),) * classes, multilabel=multilabel)


def drawn(seed: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Classes, output and target: with absent classes, some that are only predicted, and unknown pixels, even all."""
    draw = np.random.default_rng(seed)
    classes, shape = int(draw.integers(1, 22)), (int(draw.integers(0, 4)), *draw.integers(1, 9, 2))
    some = [draw.choice(classes, draw.integers(1, classes + 1), replace=False) for _ in range(2)]
    output, target = (draw.choice(kinds, shape).astype(np.uint8) for kinds in some)
    target = np.where(draw.random(shape) < draw.choice([0, 0.3, 0.9, 1]), UNKNOWN, target).astype(np.uint8)
    output = np.where(draw.random(shape) < draw.choice([0, 0, 0.2]), UNKNOWN, output).astype(np.uint8)
    return classes, np.where(draw.random(shape) < draw.random(), target, output), target


def by_definition(classes: int, output: np.ndarray, target: np.ndarray) -> dict[str, Any]:
    """Pixel sets and the textbook's quotients, as the script of Cityscapes has them: tp / (tp + fp + fn)."""
    known = target != UNKNOWN
    output, target = output[known], target[known]
    counts = {name: [] for name in ("tp", "fp", "fn")}
    for label in range(classes):
        counts["tp"].append(int(((output == label) & (target == label)).sum()))
        counts["fp"].append(int(((output == label) & (target != label)).sum()))
        counts["fn"].append(int(((output != label) & (target == label)).sum()))
    tp, fp, fn = (np.array(counts[name], dtype=np.float64) for name in ("tp", "fp", "fn"))
    with np.errstate(invalid="ignore"):
        iou, dice, found = tp / (tp + fp + fn), 2 * tp / (2 * tp + fp + fn), tp / (tp + fn)
        share = (tp + fn) / len(target) if len(target) else np.full(classes, np.nan)
    return {
        "iou": iou,
        "miou": meant(iou),
        "dice": meant(dice),
        "accuracy": tp.sum() / len(target) if len(target) else math.nan,
        "mean_accuracy": meant(found),
        "fw_iou": sum(s * i for s, i in zip(share, iou, strict=True) if s != 0),
    }


def meant(values: np.ndarray) -> float:
    defined = [value for value in values if not math.isnan(value)]
    return math.fsum(defined) / len(defined) if defined else math.nan


def scores(description: Description, output: np.ndarray, target: np.ndarray) -> dict[str, Tensor]:
    """Ours, counted image by image."""
    suite = semantic(description)
    for image in range(len(target)):
        suite.update(torch.from_numpy(output[image : image + 1]), torch.from_numpy(target[image : image + 1]))
    if not len(target):
        suite.update(torch.from_numpy(output), torch.from_numpy(target))
    return suite.compute()


def check_definition(seed: int) -> None:
    classes, output, target = drawn(seed)
    ours, expected = scores(described(classes), output, target), by_definition(classes, output, target)
    for name in SCORES:
        np.testing.assert_allclose(ours[name].numpy(), expected[name], rtol=0, atol=1e-9, err_msg=f"{name}, {seed}")
    known = target != UNKNOWN
    absent = [label for label in range(classes) if label not in target[known] and label not in output[known]]
    assert np.flatnonzero(ours["iou"].isnan()).tolist() == absent
    assert ours["confusion"].sum() == known.sum()


def check_scikit_image(seed: int) -> None:
    classes, output, target = drawn(seed)
    known = target != UNKNOWN
    answer = np.where(output == UNKNOWN, classes, output)  # no answer is the last column
    expected = np.zeros((classes, classes + 1), dtype=np.int64)
    if known.any():  # it has no table of nothing
        table = contingency_table(target[known].astype(int), answer[known].astype(int), normalize=False).toarray()
        expected[: table.shape[0], : table.shape[1]] = table
    np.testing.assert_array_equal(scores(described(classes), output, target)["confusion"].numpy(), expected)


def check_torchmetrics(seed: int) -> None:
    """It knows no pixel without an answer, needs two classes, and gives 0 where nothing is known."""
    classes, output, target = drawn(seed)
    known = target != UNKNOWN
    if classes < 2 or not known.any():
        return
    output = np.where(output == UNKNOWN, 0, output).astype(np.uint8)
    ours = scores(described(classes), output, target)
    maps = torch.from_numpy(output).long(), torch.from_numpy(target).long()
    how = {"num_classes": classes, "ignore_index": UNKNOWN}
    assert torch.equal(MulticlassConfusionMatrix(**how)(*maps), ours["confusion"][:, :-1])
    theirs = {
        "miou": MulticlassJaccardIndex(**how),
        "dice": MulticlassF1Score(**how),
        "accuracy": MulticlassAccuracy(**how, average="micro"),
        "fw_iou": MulticlassJaccardIndex(**how, average="weighted"),
    }
    for name, metric in theirs.items():
        assert metric(*maps).item() == pytest.approx(ours[name].item(), abs=1e-6), (name, seed)
    each = MulticlassJaccardIndex(**how, average="none")(*maps)  # shows an absent class as 0
    torch.testing.assert_close(each.double(), ours["iou"].nan_to_num(0.0), rtol=0, atol=1e-6)


def check_multilabel(seed: int) -> None:
    """Each channel is a question of two classes; the score is that of the yes."""
    draw = np.random.default_rng(seed)
    shape = (int(draw.integers(1, 4)), int(draw.integers(1, 6)), *draw.integers(1, 9, 2))
    output, target = ((draw.random(shape) < draw.random((1, shape[1], 1, 1))).astype(np.uint8) for _ in range(2))
    target[draw.random(shape) < draw.choice([0, 0.3, 1])] = UNKNOWN
    ours = scores(described(shape[1], multilabel=True), output, target)
    channels = [by_definition(2, output[:, k], target[:, k]) for k in range(shape[1])]
    yes = np.array([channel["iou"][1] for channel in channels])
    np.testing.assert_allclose(ours["iou"].numpy(), yes, rtol=0, atol=1e-9)
    known = target != UNKNOWN
    right = (output == target)[known].mean() if known.any() else math.nan
    for name, expected in {"miou": meant(yes), "dice": meant(2 * yes / (1 + yes)), "accuracy": right}.items():
        np.testing.assert_allclose(ours[name].item(), expected, rtol=0, atol=1e-9, err_msg=f"{name}, {seed}")
    assert (ours["confusion"].sum((1, 2)).numpy() == known.sum((0, 2, 3))).all()


CHECKS = [check_definition, check_scikit_image, check_torchmetrics, check_multilabel]


def failed(check, cases: range) -> list[str]:
    found = []
    for seed in cases:
        try:
            check(seed)
        except AssertionError as error:
            found.append(f"case {seed}: {error}")
    return found


@pytest.mark.filterwarnings("ignore:The ``compute`` method:UserWarning")
@pytest.mark.parametrize("check", CHECKS)
def test_fifty_random_cases(check, tally) -> None:
    found = failed(check, range(50))
    tally(f"scores, {check.__name__}", tried=50, failed=len(found))
    assert not found, found[0]


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:The ``compute`` method:UserWarning")
@pytest.mark.parametrize("check", CHECKS)
def test_five_hundred_random_cases(check, tally) -> None:
    found = failed(check, range(1000, 1500))
    tally(f"scores, {check.__name__}", tried=500, failed=len(found))
    assert not found, found[0]


def test_the_cases_hold_every_corner() -> None:
    """What the random cases are there for is among them."""
    corners = {"absent": 0, "predicted only": 0, "no answer": 0, "all unknown": 0, "no image": 0, "one class": 0}
    for seed in range(50):
        classes, output, target = drawn(seed)
        known = target != UNKNOWN
        true, said = set(target[known]), set(output[known])
        corners["absent"] += len(true | (said - {UNKNOWN})) < classes
        corners["predicted only"] += bool(said - true - {UNKNOWN})
        corners["no answer"] += UNKNOWN in said
        corners["all unknown"] += target.size > 0 and not known.any()
        corners["no image"] += target.size == 0
        corners["one class"] += classes == 1
    assert all(corners.values()), corners
