"""Anchors: the published nine, and torchvision's."""

import torch

from src.model.detector.rpn import Rpn, anchors

# of py-faster-rcnn, whose pixels count from 1 and whose last one is inside
PUBLISHED = [
    [-83, -39, 100, 56],
    [-175, -87, 192, 104],
    [-359, -183, 376, 200],
    [-55, -55, 72, 72],
    [-119, -119, 136, 136],
    [-247, -247, 264, 264],
    [-35, -79, 52, 96],
    [-79, -167, 96, 184],
    [-167, -343, 184, 360],
]


def test_the_nine_anchors_of_py_faster_rcnn():
    edges = torch.tensor(PUBLISHED) - torch.tensor([1, 1, 0, 0])
    assert anchors([128, 256, 512], [0.5, 1.0, 2.0], 16).equal(edges.float())
    rpn = Rpn((128, 256, 512), base=16, channels=4, levels=1)
    assert rpn.anchor_generator.cell_anchors[0].equal(edges.float())
    assert rpn.head.cls_logits.out_channels == 9


def test_by_itself_it_has_a_size_for_each_level_around_the_corners_of_cells():
    cells = Rpn(channels=4, levels=5).anchor_generator.cell_anchors
    assert [len(level) for level in cells] == [3] * 5
    assert cells[0].tolist() == [[-23, -11, 23, 11], [-16, -16, 16, 16], [-11, -23, 11, 23]]


def test_what_it_says_is_float32_under_autocast():
    rpn = Rpn((8, 16), channels=4, levels=2)
    with torch.autocast("cpu", torch.bfloat16):
        logits, deltas = rpn.head([torch.rand(1, 4, 8, 8), torch.rand(1, 4, 4, 4)])
    assert {said.dtype for said in (*logits, *deltas)} == {torch.float32}
