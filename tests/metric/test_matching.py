"""Matched objects and correct keypoints, by hand."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from src.data.sample import Instances
from src.metric.kept import Kept
from src.metric.matching import match, matched
from src.metric.pck import pck

COCO = ["nose", "left_shoulder", "right_shoulder", "left_hip", "right_hip"]


def bars(*spans: tuple[int, int], labels: tuple[int, ...] = (), scores: tuple[float, ...] = (), **more) -> Kept:
    """Bars of one row, from a column up to another."""
    columns = torch.arange(100)
    masks = torch.stack([(columns >= start) & (columns < end) for start, end in spans])[:, None]
    boxes = torch.tensor([[start, 0, end, 1] for start, end in spans], dtype=torch.float32)
    said = torch.tensor(labels or (1,) * len(spans))
    return Kept.of(Instances(boxes, said, masks, scores=torch.tensor(scores) if scores else None, **more), masks=True)


def nobody(found: bool) -> Kept:
    scores = torch.zeros(0) if found else None
    return Kept.of(Instances(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), None, scores=scores), masks=True)


@pytest.mark.parametrize("masks", [True, False])
def test_the_most_certain_chooses_first_and_each_object_is_chosen_once(masks: bool) -> None:
    there = bars((0, 10), (10, 30))
    found = bars((0, 8), (0, 9), (12, 30), (50, 60), scores=(0.6, 0.9, 0.7, 0.8))
    pairs, false, missed = match(found, there, 0.5, masks)
    assert [(index, best) for index, best, _ in pairs] == [(1, 0), (2, 1)]
    assert [iou for _, _, iou in pairs] == pytest.approx([0.9, 0.9])
    assert (false, missed) == (2, 0)


def test_half_is_enough_less_is_not_nor_is_another_class_or_a_lower_score() -> None:
    there = bars((0, 10), (20, 30), (40, 50), (60, 70), labels=(1, 1, 1, 2))
    found = bars((0, 5), (20, 24), (40, 50), (60, 70), labels=(1, 1, 1, 1), scores=(0.9, 0.9, 0.49, 0.9))
    pairs, false, missed = match(found, there, 0.5, masks=True)
    assert pairs == [(0, 0, 0.5)]
    assert (false, missed) == (2, 3)


def test_what_lies_in_a_crowd_is_neither_right_nor_false() -> None:
    there = bars((0, 50), (60, 70), crowd=torch.tensor([True, False]))
    found = bars((0, 10), (20, 30), (45, 60), (60, 70), scores=(0.9, 0.9, 0.9, 0.9))
    pairs, false, missed = match(found, there, 0.5, masks=True)
    assert [(index, best) for index, best, _ in pairs] == [(3, 1)]
    assert (false, missed) == (1, 0)


def test_mean_iou_and_dice_are_of_those_that_match() -> None:
    images = [
        (bars((0, 8), (50, 60), scores=(0.9, 0.8)), bars((0, 10))),
        (bars((0, 6), scores=(0.9,)), bars((0, 10), (30, 40))),
        (nobody(True), bars((0, 10))),
        (bars((0, 10), scores=(0.6,)), nobody(False)),
    ]
    found = matched(images, 0.5)
    assert found == pytest.approx(
        {
            "matched/iou": (0.8 + 0.6) / 2,
            "matched/dice": (1.6 / 1.8 + 1.2 / 1.6) / 2,
            "matched/precision": 2 / 4,
            "matched/recall": 2 / 4,
        }
    )


def test_nothing_is_not_zero() -> None:
    found = matched([(nobody(True), nobody(False))], 0.5)
    assert all(math.isnan(value) for value in found.values())
    missed = matched([(nobody(True), bars((0, 10)))], 0.5)
    assert math.isnan(missed["matched/iou"])
    assert math.isnan(missed["matched/precision"])
    assert missed["matched/recall"] == 0


def test_images_whose_target_has_no_masks_are_left_out() -> None:
    blind = Kept.of(Instances(torch.tensor([[0.0, 0, 10, 1]]), torch.tensor([1])), masks=True)
    assert all(math.isnan(value) for value in matched([(bars((0, 10), scores=(0.9,)), blind)], 0.5).values())


def person(points: Tensor, score: float | None = None, x: float = 0) -> Kept:
    boxes = torch.tensor([[x, 0.0, x + 40, 100]])
    scores = None if score is None else torch.tensor([score])
    return Kept.of(Instances(boxes, torch.tensor([1]), keypoints=points[None], scores=scores), masks=False)


def standing() -> Tensor:
    """The torso, from left shoulder (10, 20) to right hip (40, 60), is 50 long: 10 is near."""
    return torch.tensor([[25.0, 0, 2], [10, 20, 2], [40, 20, 1], [10, 60, 2], [40, 60, 2]])


def test_pck_is_the_share_within_a_fifth_of_the_torso() -> None:
    truth, said = standing(), standing()
    said[0, 0] += 10  # just near
    said[1, 1] += 10.1  # just not
    said[2, :2] = torch.nan
    assert pck([(person(said, 0.9), person(truth))], COCO, 0.5) == pytest.approx(3 / 5)
    said[1], truth[1, 2] = truth[1], 0  # then the other diagonal is as long, and one less is asked for
    assert pck([(person(said, 0.9), person(truth))], COCO, 0.5) == pytest.approx(3 / 4)


def test_pck_counts_only_who_was_found_and_whose_torso_is_known() -> None:
    truth, said = standing(), standing()
    assert math.isnan(pck([(person(said, 0.4), person(truth))], COCO, 0.5))
    assert math.isnan(pck([(person(said, 0.9, x=35), person(truth))], COCO, 0.5))
    truth[1:3, 2] = 0
    assert math.isnan(pck([(person(said, 0.9), person(truth))], COCO, 0.5))
    assert math.isnan(pck([(person(said, 0.9), nobody(False))], COCO, 0.5))


def test_pck_of_other_skeletons_goes_by_the_larger_side_of_the_box() -> None:
    truth, said = standing(), standing()
    said[0, 1] += 20
    said[1, 1] += 20.1
    names = ["beak", "left_wing", "right_wing", "tail", "crown"]
    assert pck([(person(said, 0.9), person(truth))], names, 0.5) == pytest.approx(4 / 5)
    spelled = [name.replace("_", " ").title() for name in COCO]
    assert pck([(person(said, 0.9), person(truth))], spelled, 0.5) == pytest.approx(3 / 5)


def test_matching_does_not_depend_on_the_order_of_what_was_found() -> None:
    draw = np.random.default_rng(0)
    starts = draw.integers(0, 60, (2, 8))
    there = bars(*((int(start), int(start) + 30) for start in starts[0]))
    scores = tuple(draw.permutation(8) / 8)
    spans = [(int(start), int(start) + 30) for start in starts[1]]
    order = draw.permutation(8)
    one = match(bars(*spans, scores=scores), there, 0.2, masks=True)
    other = match(bars(*(spans[i] for i in order), scores=tuple(scores[i] for i in order)), there, 0.2, masks=True)
    assert [(spans[i], j) for i, j, _ in one.pairs] == [(spans[order[i]], j) for i, j, _ in other.pairs]
    assert len(one.pairs) > 2
