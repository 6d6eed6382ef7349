"""RoIPool against values worked out by hand."""

import torch

from src.model.roi.pool import Pool

SQUARE = torch.arange(25.0).view(1, 1, 5, 5)


def test_a_box_s_last_cell_belongs_to_it_and_bins_overlap_where_they_do_not_divide():
    box = torch.tensor([[1.0, 1, 3, 3]])  # 3 × 3 cells
    whole = Pool(size=3, reductions=[1])({"0": SQUARE}, [box])[0, 0]
    assert whole.tolist() == [[6, 7, 8], [11, 12, 13], [16, 17, 18]]
    halves = Pool(size=2, reductions=[1])({"0": SQUARE}, [box])[0, 0]
    assert halves.tolist() == [[12, 13], [17, 18]]


def test_a_box_is_rounded_to_cells():
    box = torch.tensor([[1.4, 0.6, 3.4, 2.6]])
    assert Pool(size=3, reductions=[1])({"0": SQUARE}, [box])[0, 0, 0].tolist() == [6, 7, 8]
