"""Objects as class maps, scored as class maps are."""

import pytest
import torch

from src.data.description import Description
from src.data.sample import Instances
from src.metric.painted import Painted, painted
from src.metric.suite import semantic

LABELS = (2, 5)


def rectangles(*places: tuple[int, int, int, int], labels: tuple[int, ...], **more) -> Instances:
    masks = torch.zeros(len(places), 12, 16, dtype=torch.bool)
    for mask, (x0, y0, x1, y1) in zip(masks, places, strict=True):
        mask[y0:y1, x0:x1] = True
    return Instances(torch.tensor(places).float().view(-1, 4), torch.tensor(labels, dtype=torch.long), masks, **more)


def nothing(**more) -> Instances:
    return rectangles(labels=(), **more)


def test_smaller_on_top_of_equal_ones_the_last() -> None:
    masks = rectangles((0, 0, 2, 2), (0, 0, 8, 8), (1, 1, 3, 3), labels=(2, 2, 2)).masks
    canvas = painted(masks, torch.tensor([1, 2, 3]))
    assert canvas[:4, :4].tolist() == [[1, 1, 2, 2], [1, 3, 3, 2], [2, 3, 3, 2], [2, 2, 2, 2]]
    assert canvas[8:].sum() == 0
    assert torch.equal(painted(masks.byte() * 7, torch.tensor([1, 2, 3])), canvas)


@pytest.mark.parametrize("scores", [(0.9, 0.8, 0.7), (0.7, 0.8, 0.9), (0.5, 0.5, 0.5)])
def test_what_is_found_exactly_scores_one_whatever_is_the_most_certain(scores: tuple[float, ...]) -> None:
    places = ((0, 0, 10, 10), (2, 2, 6, 6), (3, 3, 14, 9))
    there = rectangles(*places, labels=(2, 5, 5))
    found = rectangles(*places, labels=(2, 5, 5), scores=torch.tensor(scores))
    metric = Painted(LABELS, 0.5)
    metric.update([found], [there])
    assert {name: value.item() for name, value in metric.compute().items()} == {"map/miou": 1, "map/dice": 1}


def test_of_equal_areas_the_more_certain_is_on_top() -> None:
    places = ((0, 0, 4, 4), (2, 0, 6, 4))
    there = rectangles((0, 0, 4, 4), (4, 0, 6, 4), labels=(2, 5))
    for scores, expected in (((0.9, 0.8), 1), ((0.8, 0.9), 0.5)):
        metric = Painted(LABELS, 0.5)
        metric.update([rectangles(*places, labels=(2, 5), scores=torch.tensor(scores))], [there])
        matrix = metric.counts[1:4, 1:4]
        assert (matrix.diagonal().sum() == matrix.sum()) == (expected == 1)


def test_scores_are_the_semantic_suites_on_the_same_maps() -> None:
    """Hand-made maps: a crowd is unknown, what is less certain than the threshold is not painted."""
    there = rectangles((0, 0, 6, 6), (8, 0, 16, 6), labels=(2, 5), crowd=torch.tensor([False, True]))
    found = rectangles(
        (1, 0, 7, 6), (8, 0, 12, 3), (0, 8, 4, 12), labels=(2, 2, 5), scores=torch.tensor([0.9, 0.6, 0.4])
    )
    true, said = torch.zeros(2, 12, 16, dtype=torch.uint8)
    true[:6, :6], true[:6, 8:], said[:6, 1:7], said[:3, 8:12] = 1, 255, 1, 1
    names = ("background", "cat", "dog")
    suite = semantic(Description(("mask",), names, ((0, 0, 0),) * 3))
    suite.update(said[None], true[None])
    metric = Painted(LABELS, 0.5)
    metric.update([found, nothing(scores=torch.zeros(0))], [there, nothing()])
    suite.update(torch.zeros(1, 12, 16, dtype=torch.uint8), torch.zeros(1, 12, 16, dtype=torch.uint8))
    found, expected = metric.compute(), suite.compute()
    assert torch.equal(metric.counts, suite["confusion"].counts)
    assert (found["map/miou"], found["map/dice"]) == (expected["miou"], expected["dice"])
    assert 0.5 < found["map/miou"] < 0.95


def test_without_masks_in_the_target_there_is_nothing_to_score() -> None:
    metric = Painted(LABELS, 0.5)
    there = Instances(torch.tensor([[0.0, 0, 4, 4]]), torch.tensor([2]))
    metric.update([rectangles((0, 0, 4, 4), labels=(2,), scores=torch.tensor([0.9]))], [there])
    assert all(value.isnan() for value in metric.compute().values())


def test_maps_of_another_size_are_refused() -> None:
    small = Instances(
        torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), torch.zeros(0, 12, 15), scores=torch.zeros(0)
    )
    with pytest.raises(ValueError, match=r"the output is \(12, 15\) and the target \(12, 16\)"):
        Painted(LABELS, 0.5).update([small], [nothing()])
