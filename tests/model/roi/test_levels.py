"""Each box is cut from the level that suits its size."""

import pytest
import torch
from torchvision.ops import MultiScaleRoIAlign

from src.model.roi.align import Align
from src.model.roi.levels import pooled


def test_two_images_on_four_levels_as_torchvision_cuts_them():
    generator = torch.Generator().manual_seed(0)
    features = {str(i): torch.rand(2, 3, 256 >> i, 256 >> i, generator=generator) for i in range(5)}
    corners = torch.rand(60, 2, generator=generator) * 500
    sides = torch.exp2(torch.rand(60, 2, generator=generator) * 8 + 1)
    boxes = list(torch.cat([corners, corners + sides], 1).split([25, 35]))
    reference = MultiScaleRoIAlign(["0", "1", "2", "3"], 7, 2, canonical_scale=56)
    expected = reference(features, boxes, [(1024, 1024), (800, 1000)])
    found = Align(canonical=56, size=7, reductions=[4, 8, 16, 32])(features, boxes)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("side", "level"), [(1, 0), (111, 0), (112, 1), (224, 2), (447, 2), (448, 3), (5000, 3)])
def test_a_box_of_the_canonical_side_comes_from_a_sixteenth(side, level):
    features = {str(i): torch.full((1, 1, 2, 2), float(i)) for i in range(4)}
    box = torch.tensor([[0.0, 0, side, side]])
    found = pooled(lambda m, r, s: m[:1].expand(len(r), 1, 2, 2), features, [box], [4, 8, 16, 32], 224)
    assert found.flatten().tolist() == [level] * 4


def test_no_boxes_have_no_cells():
    features = {str(i): torch.zeros(2, 3, 8, 8) for i in range(3)}
    none = [torch.zeros(0, 4), torch.zeros(0, 4)]
    assert Align(size=7, reductions=[4, 8])(features, none).shape == (0, 3, 7, 7)
    assert Align(size=7, reductions=[4])(features, none).shape == (0, 3, 7, 7)
