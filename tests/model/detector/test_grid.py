"""A grid of classifiers: weights of a bilinear interpolation, and every pixel's score as a loop over them has it."""

import pytest
import torch
from torch.nn import functional as F

from src.model.detector.grid import Grid, weights


@pytest.mark.parametrize(("places", "size"), [(5, 50), (5, 28), (1, 7), (3, 3)])
def test_the_classifiers_share_each_cell(places, size):
    shares = weights(places, size)
    assert shares.shape == (places**2, size, size)
    torch.testing.assert_close(shares.sum(0), torch.ones(size, size))
    assert ((shares > 0).sum(0) <= 4).all()


def test_at_its_own_place_a_classifier_is_alone_and_half_way_there_are_two():
    shares = weights(2, 8)  # places at cells 1.5 and 5.5, so that cells 2 to 5 lie between them
    assert shares[0, :2, :2].min() == 1
    assert shares[3, 6:, 6:].min() == 1
    assert shares[:2, 0, 2].tolist() == [0.875, 0.125]
    assert shares[:2, 0, 3].tolist() == [0.625, 0.375]


def grid(**words: object) -> Grid:
    torch.manual_seed(0)
    return Grid(6, 3, channels=[4, 5], reductions=[2, 4], out_channels=2, **words)


def test_scores_are_those_of_classifiers_on_whole_hypercolumns():
    """Two 1×1 convolutions, enlarged and added, are one on the features enlarged and concatenated."""
    refine, features = grid(), [torch.rand(1, 4, 8, 8), torch.rand(1, 5, 4, 4)]
    first, second = refine.hypercolumn.scores
    column = torch.cat([features[0], F.interpolate(features[1], scale_factor=2, mode="bilinear")], 1)
    kernel, bias = torch.cat([first.weight, second.weight], 1), first.bias + second.bias
    assert kernel.shape == (2 * 9, 9, 1, 1)
    torch.testing.assert_close(refine.scores(features), F.conv2d(column, kernel, bias))


def test_a_box_is_drawn_by_its_classes_classifiers_each_at_its_place():
    """Boxes whose samples are the middles of the map's cells, and a loop over these."""
    refine, scores = grid(), torch.randn(2, 18, 8, 8)
    boxes = [torch.tensor([[2.0, 4, 14, 16]]), torch.tensor([[0.0, 0, 12, 12], [4, 2, 16, 14]])]
    labels = torch.tensor([2, 1, 2])  # of which 0 is background
    masks = refine(scores, boxes, labels)
    corners = [(0, 2, 1), (1, 0, 0), (1, 1, 2)]  # image, row, column of the first cell
    for mask, label, (image, row, column) in zip(masks, labels.tolist(), corners, strict=True):
        own = scores[image].view(2, 9, 8, 8)[label - 1]
        for i in range(6):
            for j in range(6):
                said = sum(refine.weights[q, i, j] * own[q, row + i, column + j] for q in range(9))
                torch.testing.assert_close(mask[i, j], said)


def test_one_grid_for_all_classes_does_not_ask_which():
    refine, scores = grid(class_agnostic=True), torch.randn(1, 9, 8, 8)
    box = [torch.tensor([[2.0, 4, 14, 16]] * 2)]
    first, second = refine(scores, box, torch.tensor([1, 2]))
    assert first.equal(second)
    assert refine.hypercolumn.channels == 9


def test_no_boxes_have_no_masks_and_a_gradient():
    scores = torch.randn(1, 18, 8, 8, requires_grad=True)
    nothing = grid()(scores, [torch.zeros(0, 4)], torch.zeros(0, dtype=torch.long))
    assert nothing.shape == (0, 6, 6)
    nothing.sum().backward()
    assert not scores.grad.any()
