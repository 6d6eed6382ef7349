"""Masks spread over their boxes."""

import pytest
import torch
from torch.nn import functional as F
from torchvision.models.detection.roi_heads import paste_masks_in_image

from src.model.detector.paste import paste


def test_a_full_mask_fills_its_box_and_nothing_else():
    found = paste(torch.ones(1, 28, 28), torch.tensor([[2.0, 3, 7, 9]]), (12, 10))
    expected = torch.zeros(1, 12, 10, dtype=torch.bool)
    expected[:, 3:9, 2:7] = True
    assert found.equal(expected)


def test_a_pixel_belongs_to_a_box_that_covers_its_middle():
    found = paste(torch.ones(1, 28, 28), torch.tensor([[1.4, 1.6, 4.4, 3.6]]), (6, 6))[0]
    assert found.nonzero().tolist() == [[2, 1], [2, 2], [2, 3], [3, 1], [3, 2], [3, 3]]


@pytest.mark.parametrize("corner", [(5, 4), (-10, -7), (30, 20)])
def test_inside_it_is_a_bilinear_enlargement_cut_off_at_the_image(corner):
    mask = F.interpolate(torch.rand(1, 1, 4, 4, generator=torch.Generator().manual_seed(0)), (14, 14), mode="bilinear")
    x, y = corner
    found = paste(mask[0], torch.tensor([[x, y, x + 35.0, y + 28]]), (40, 50))
    whole = torch.zeros(100, 100, dtype=torch.bool)
    whole[30 + y : 58 + y, 30 + x : 65 + x] = F.interpolate(mask, (28, 35), mode="bilinear")[0, 0] >= 0.5
    inner = torch.zeros(100, 100, dtype=torch.bool)  # half a cell from the border on, where it fades to nothing
    inner[31 + y : 57 + y, 32 + x : 63 + x] = True
    window = (slice(30, 70), slice(30, 80))
    assert found[0][inner[window]].equal(whole[window][inner[window]])
    assert not found[0][~_dilated(whole[window])].any()


def _dilated(mask):
    return F.max_pool2d(mask[None].float(), 3, 1, 1)[0] > 0


def test_large_objects_are_torchvision_s_but_for_its_rounding():
    generator = torch.Generator().manual_seed(0)
    blobs = F.interpolate(torch.rand(3, 1, 4, 4, generator=generator), (28, 28), mode="bicubic").clamp(0, 1)
    boxes = torch.tensor([[10.0, 20, 150, 130], [0, 0, 199, 149], [-20, 30, 90, 170]])
    ours = paste(blobs[:, 0], boxes, (150, 200))
    theirs = paste_masks_in_image(blobs, boxes, (150, 200))[:, 0] >= 0.5
    both, either = (ours & theirs).sum((1, 2)), (ours | theirs).sum((1, 2))
    assert (both / either).min() > 0.95


def test_boxes_beyond_the_image_and_no_boxes_at_all_have_empty_masks():
    outside = torch.tensor([[50.0, 2, 60, 9], [-9, 1, -2, 5]])
    assert not paste(torch.ones(2, 28, 28), outside, (10, 12)).any()
    assert paste(torch.ones(0, 28, 28), torch.zeros(0, 4), (10, 12)).shape == (0, 10, 12)
