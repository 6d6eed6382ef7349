"""RoI warping gives what torchvision's operator gives, and the gradient of the boxes, which that one lacks."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import roi_align

from src.model.roi.align_max import AlignMax
from src.model.roi.warp import Warp

LEVELS = {"0": torch.rand(2, 3, 9, 12, generator=torch.Generator().manual_seed(0))}
BOXES = [torch.tensor([[3.0, 5, 40, 33], [0, 0, 48, 36]]), torch.tensor([[10.5, 2.25, 20, 30]])]


def test_it_is_the_maximum_of_torchvisions_samples():
    cells = Warp(size=5, reductions=[4])(LEVELS, BOXES)
    torch.testing.assert_close(cells, AlignMax(aligned=True, size=5, reductions=[4])(LEVELS, BOXES))


def test_fourteen_bins_are_the_maxima_of_twenty_eight_samples():
    cells = Warp(size=14, reductions=[4])(LEVELS, BOXES)
    rois = torch.cat([torch.tensor([[0.0], [0], [1]]), torch.cat(BOXES)], 1)
    warped = roi_align(LEVELS["0"], rois, 28, 1 / 4, 1, True)
    torch.testing.assert_close(cells, F.max_pool2d(warped, 2))


def test_levels_images_and_their_order_are_kept():
    levels = LEVELS | {"1": torch.rand(2, 3, 5, 6), "pool": torch.rand(2, 3, 3, 3)}
    warp, like = (kind(size=3, reductions=[4, 8], canonical=56) for kind in (Warp, _aligned))
    torch.testing.assert_close(warp(levels, BOXES), like(levels, BOXES))
    torch.testing.assert_close(warp(levels, BOXES)[2:], like(levels, [BOXES[0][:0], BOXES[1]]))


def _aligned(**parts: object) -> AlignMax:
    return AlignMax(aligned=True, **parts)


def test_no_regions_have_no_cells():
    nothing = torch.zeros(0, 4)
    assert Warp(size=7, reductions=[4])(LEVELS, [nothing, nothing]).shape == (0, 3, 7, 7)


@pytest.mark.parametrize("sampling", [1, 2])
def test_the_gradient_of_boxes_and_features_is_right(sampling):
    """Away from the lines on which an interpolation bends."""
    warp = Warp(sampling, size=3, reductions=[4])
    feature = LEVELS["0"][:1, :, :7, :7].double().requires_grad_()
    box = torch.tensor([[5.37, 3.21, 21.83, 17.69]], dtype=torch.float64, requires_grad=True)

    def cut(feature: Tensor, box: Tensor) -> Tensor:
        return warp._cut(feature, torch.cat([box.new_zeros(1, 1), box], 1), 1 / 4)

    assert torch.autograd.gradcheck(cut, (feature, box))


def test_a_box_moves_towards_what_it_looks_for():
    """On a ramp of slope one per cell, cells grow by the share of their reduction that the box is moved."""
    ramp = torch.arange(16.0).expand(1, 1, 16, 16)
    box = torch.tensor([[16.0, 16, 48, 48]], requires_grad=True)
    Warp(size=4, reductions=[4])({"0": ramp}, [box]).mean().backward()
    left, top, right, bottom = box.grad[0].tolist()
    assert left + right == pytest.approx(1 / 4)
    assert top == bottom == 0
