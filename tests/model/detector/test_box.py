"""The branch for boxes."""

import torch

from src.model.detector.box import Box


def test_no_regions_cost_nothing():
    box = Box(size=2, width=4, channels=3, out_channels=2)
    logits, deltas = box(torch.zeros(0, 3, 2, 2))
    none = [torch.zeros(0, dtype=torch.int64)], [torch.zeros(0, 4)]
    terms = box.terms(logits, deltas, *none)
    assert {name: term.item() for name, term in terms.items()} == {"class": 0, "box": 0}
    sum(terms.values()).backward()


def test_without_layers_the_mean_over_the_cells_is_classified():
    box = Box(size=2, width=None, channels=3, out_channels=2)
    cells = torch.rand(5, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    logits, deltas = box(cells)
    torch.testing.assert_close(logits, box.box_predictor.cls_score(cells.mean((2, 3))))
    assert (logits.shape, deltas.shape) == ((5, 3), (5, 12))
