"""Position-sensitive cells: each part of a region sees a map of its own, and no other."""

import pytest
import torch
from torch import Tensor
from torchvision.ops import ps_roi_align, ps_roi_pool

from src.model.roi.align import Align
from src.model.roi.pool import Pool
from src.model.roi.position import position_sensitive


def boxes(*counts: int) -> list[Tensor]:
    """Of images of 128 by 160 pixels, none of them on a cell's edge."""
    generator = torch.Generator().manual_seed(0)
    corner = torch.rand(sum(counts), 2, generator=generator) * torch.tensor([90.0, 60.0])
    extent = torch.rand(sum(counts), 2, generator=generator) * 60 + 5
    return list(torch.cat([corner, corner + extent], 1).split(counts))


@pytest.mark.parametrize("operator", [Align, Pool])
@pytest.mark.parametrize(("side", "size"), [(7, 3), (3, 1), (1, 4)])
def test_maps_that_say_their_number_give_each_part_its_own(operator, side, size):
    numbers = torch.arange(side**2.0)
    maps = numbers[None, :, None, None, None].expand(2, -1, 1, 16, 20)
    cells = position_sensitive(operator(size=size, reductions=[8]), maps, boxes(3, 2))
    expected = numbers.view(side, side).repeat_interleave(size, 0).repeat_interleave(size, 1)
    assert cells.shape == (5, 1, side * size, side * size)
    torch.testing.assert_close(cells, expected.expand_as(cells))


def test_with_one_cell_for_each_part_it_is_torchvisions_position_sensitive_align():
    maps = torch.rand(2, 25, 3, 16, 20, generator=torch.Generator().manual_seed(1))
    found = position_sensitive(Align(aligned=True, size=1, reductions=[8]), maps, boxes(4, 3))
    theirs = maps.transpose(1, 2).flatten(1, 2)  # they have the maps of a channel side by side
    torch.testing.assert_close(found, ps_roi_align(theirs, boxes(4, 3), 5, 1 / 8, 2))


def test_with_more_cells_it_is_theirs_on_maps_that_are_repeated():
    maps = torch.rand(2, 9, 2, 16, 20, generator=torch.Generator().manual_seed(2))
    found = position_sensitive(Align(aligned=True, size=4, reductions=[8]), maps, boxes(4, 3))
    grid = maps.transpose(1, 2).unflatten(2, (3, 3)).repeat_interleave(4, 2).repeat_interleave(4, 3)
    torch.testing.assert_close(found, ps_roi_align(grid.flatten(1, 3), boxes(4, 3), 12, 1 / 8, 2))


def test_theirs_that_rounds_sees_the_same_maps():
    """Of a plane that is nowhere else but at one part, the others see nothing."""
    maps = torch.zeros(1, 9, 2, 16, 20)
    maps[:, 5, 1] = 1
    found = position_sensitive(Align(size=1, reductions=[8]), maps, boxes(4))
    theirs = ps_roi_pool(maps.transpose(1, 2).flatten(1, 2), boxes(4), 3, 1 / 8)
    assert found.equal(theirs)
    assert found.nonzero()[:, 1:].unique(dim=0).tolist() == [[1, 1, 2]]


def test_no_regions_have_no_cells_and_a_gradient():
    maps = torch.rand(2, 9, 4, 8, 8, requires_grad=True)
    cells = position_sensitive(Align(size=2, reductions=[8]), maps, [torch.zeros(0, 4)] * 2)
    assert cells.shape == (0, 4, 6, 6)
    cells.sum().backward()
    assert not maps.grad.any()
    one = position_sensitive(Align(size=2, reductions=[8]), maps, [torch.zeros(0, 4), *boxes(1)])
    assert one.shape == (1, 4, 6, 6)
