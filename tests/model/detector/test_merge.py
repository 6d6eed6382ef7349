"""Masks of boxes around an object are averaged, by hand and against a loop over pixels."""

import torch

from src.model.detector.merge import merged


def test_masks_vote_with_their_scores():
    """Three boxes in one place, 4×4 pixels: one of them has .7 of the votes, the others .3, which is under .4."""
    masks = torch.zeros(3, 4, 4)
    masks[:, :, :2] = 1
    masks[0, :, 2] = 0.5
    masks[1:, :, 3] = 0.5
    boxes = torch.tensor([[2.0, 1, 6, 5]] * 3)
    scores = torch.tensor([[0.7], [0.2], [0.1]])
    found = merged(masks, boxes, scores, (8, 10))
    assert len(found) == 1
    expected = torch.zeros(8, 10, dtype=torch.bool)
    expected[1:5, 2:5] = True
    assert found.masks[0].equal(expected)
    assert found.boxes.tolist() == [[2, 1, 5, 5]]
    assert found.labels.tolist() == [0]
    torch.testing.assert_close(found.scores, torch.tensor([0.7]))


def test_only_boxes_that_overlap_by_a_half_count():
    masks = torch.ones(2, 2, 2)
    apart = torch.tensor([[0.0, 0, 8, 8], [0, 4.5, 8, 12.5]])  # IoU 28 / 100
    near = torch.tensor([[0.0, 0, 8, 8], [0, 2, 8, 10]])  # 48 / 80
    scores = torch.tensor([[0.9], [0.8]])
    first = merged(masks, apart, scores, (16, 16), nms=0.2)
    assert first.boxes.tolist() == [[0, 0, 8, 8]]
    both = merged(masks, near, scores, (16, 16))
    assert both.boxes.tolist() == [[0, 0, 8, 10]]  # .8 of 1.7 is over .4


def test_a_mask_says_where_its_own_class_is_not_asked():
    """A box whose best class is another counts with its score of this one."""
    masks = torch.stack([torch.zeros(4, 4), torch.ones(4, 4)])
    masks[0, :2] = 1
    boxes = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 4]])
    scores = torch.tensor([[0.5, 0.0], [0.4, 0.9]])
    found = merged(masks, boxes, scores, (4, 4))
    assert found.labels.tolist() == [1, 0]
    assert found.masks[1].all()  # .4 of .9 is over .4
    assert found.masks[0].all()


def test_thresholds_and_the_most_objects():
    masks, boxes = torch.ones(3, 2, 2), torch.tensor([[0.0, 0, 4, 4], [6, 0, 10, 4], [0, 6, 4, 10]])
    scores = torch.tensor([[0.3, 0.04], [0.9, 0.02], [0.6, 0.01]])
    assert merged(masks, boxes, scores, (12, 12)).scores.tolist() == scores[[1, 2, 0], 0].tolist()
    assert len(merged(masks, boxes, scores, (12, 12), detections=2)) == 2
    assert len(merged(masks, boxes, scores, (12, 12), score=0.5)) == 2
    assert len(merged(masks * 0.3, boxes, scores, (12, 12))) == 0
    assert len(merged(masks * 0.3, boxes, scores, (12, 12), threshold=0.2)) == 3


def test_nothing_is_found_in_nothing():
    nothing = merged(torch.zeros(0, 4, 4), torch.zeros(0, 4), torch.zeros(0, 3), (5, 7))
    assert len(nothing) == 0
    assert (nothing.masks.shape, nothing.boxes.shape) == ((0, 5, 7), (0, 4))
