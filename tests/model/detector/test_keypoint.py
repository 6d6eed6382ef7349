"""Keypoints as cells of their maps, and back."""

import torch

from src.data.description import UNSEEN
from src.model.detector.keypoint import Keypoint

BOX = torch.tensor([[10.0, 20, 66, 132]])  # 56 wide: a cell is a pixel; 112 high: two


def branch() -> Keypoint:
    return Keypoint(width=4, layers=1, channels=2, out_channels=4)


def test_a_map_has_four_times_the_cells_that_are_cut_out():
    assert branch()(torch.zeros(3, 2, 14, 14)).shape == (3, 4, 56, 56)


def test_what_is_not_labelled_or_outside_has_no_cell():
    points = torch.tensor([[[12.5, 25, 2], [12.5, 25, 0], [5, 25, 2], [66, 132, 1]]])
    logits, target = branch().term(torch.zeros(1, 4, 56, 56), [BOX], [torch.tensor([0])], [{"keypoints": points}])
    assert logits.shape == (1, 4, 56, 56)
    assert target.tolist() == [[2 * 56 + 2, UNSEEN, UNSEEN, 56 * 56 - 1]]


def test_a_keypoint_stands_at_its_highest_cell_and_is_as_sure_as_its_neighbourhood():
    logits = torch.zeros(1, 4, 56, 56)
    logits[0, 0, 30, 7] = 60.0  # certain
    logits[0, 1, 30, 7:9] = 60.0  # one of two neighbours
    logits[0, 2, 30, 7], logits[0, 2, 5, 50] = 60.0, 59.99  # one of two that are far apart
    found = branch().found(logits, BOX, torch.tensor([1]), (200, 100), (400, 100))
    x, y, sure = found[0].unbind(1)
    assert (x[0] - (10 + 7.5)).abs() <= 0.5
    assert (y[0] - 2 * (20 + 30.5 * 2)).abs() <= 2
    assert torch.allclose(sure[:3], torch.tensor([1.0, 1.0, 0.5]), atol=0.01)
    assert sure[3] < 0.01
