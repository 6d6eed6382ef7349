"""Masks of fully connected layers: how many numbers they have, what they ought to say, and how well they say it."""

import pytest
import torch

from src.model.detector.fc_mask import FcMask


def test_a_hidden_layer_and_a_number_for_each_cell():
    """VGG16's: 14² cells of 512 channels to 256, and those to 21² = 441."""
    with torch.device("meta"):
        mask = FcMask(channels=512, cells=14)
        assert mask(torch.zeros(5, 512, 14, 14)).shape == (5, 21, 21)
    assert sum(parameter.numel() for parameter in mask.parameters()) == (14 * 14 * 512 * 256 + 256) + (256 * 441 + 441)


def test_it_ought_to_say_what_share_of_a_cell_is_the_objects():
    mask = FcMask(size=4, channels=1, cells=2)
    objects = torch.zeros(2, 16, 16, dtype=torch.uint8)
    objects[1, 4:12, 7:11] = 1
    boxes = [torch.tensor([[4.0, 4, 12, 12]])]
    wanted = mask.wanted(boxes, [torch.tensor([1])], [{"masks": objects}])
    assert wanted.tolist() == [[[0, 0.5, 1, 0.5]] * 4]


@pytest.mark.parametrize(("columns", "iou"), [(4, 32 / 96), (2, 16 / 96), (0, 0.0)])
def test_an_overlap_is_with_the_whole_object_also_beyond_the_box(columns, iou):
    """An object of 8 × 12 pixels, a box around 4 of its columns."""
    mask = FcMask(size=4, channels=1, cells=2)
    objects = torch.zeros(1, 20, 20, dtype=torch.uint8)
    objects[0, 6:14, 4:16] = 1
    logits = torch.full((1, 4, 4), -9.0)
    logits[..., :columns] = 9
    boxes, index, targets = [torch.tensor([[6.0, 6, 10, 14]])], [torch.tensor([0])], [{"masks": objects}]
    wanted = torch.ones(1, 4, 4)
    overlap = mask.overlap(logits, wanted, boxes, index, targets)
    torch.testing.assert_close(overlap, torch.tensor([iou]))


def test_what_is_drawn_begins_at_the_threshold():
    boxes, index = [torch.tensor([[0.0, 0, 4, 4]])], [torch.tensor([0])]
    targets, wanted = [{"masks": torch.ones(1, 4, 4, dtype=torch.uint8)}], torch.ones(1, 4, 4)
    logits = torch.full((1, 4, 4), 0.45).logit()
    for threshold, overlap in ((0.4, 1.0), (0.5, 0.0)):
        mask = FcMask(4, threshold=threshold, channels=1, cells=2)
        assert mask.overlap(logits, wanted, boxes, index, targets).tolist() == [overlap]
