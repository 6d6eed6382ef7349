"""Pixels of each class."""

import torch

from src.data.count import class_pixels
from src.data.description import Description

COLORS = ((0, 0, 0), (1, 1, 1), (2, 2, 2))


def test_unknown_pixels_count_for_no_class():
    mask = torch.tensor([[0, 2, 2], [255, 0, 2]], dtype=torch.uint8)
    description = Description(fields=("mask",), classes=("a", "b", "c"), colors=COLORS)
    assert class_pixels(mask, description).tolist() == [2, 0, 3]


def test_where_masks_overlap_a_pixel_counts_for_each_of_its_classes():
    masks = torch.tensor([[[1, 1]], [[1, 255]], [[0, 0]]], dtype=torch.uint8)
    description = Description(fields=("mask",), classes=("a", "b", "c"), colors=COLORS, multilabel=True)
    assert class_pixels(masks, description).tolist() == [2, 1, 0]
