"""RoIAlign against its published values, and what it keeps that RoIPool does not."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import ps_roi_pool

from src.model.roi.align import Align
from src.model.roi.align_max import AlignMax
from src.model.roi.pool import Pool

SQUARE = torch.arange(25.0).view(1, 1, 5, 5)
BOX = torch.tensor([[1.0, 1, 3, 3]])


def cut(operator, feature: Tensor, box: Tensor) -> Tensor:
    return operator({"0": feature}, [box])[0, 0]


def align(size: int = 4, reduction: int = 1, **options) -> Align:
    return Align(size=size, reductions=[reduction], **options)


@pytest.mark.parametrize(("aligned", "column"), [(False, [7.5, 10, 12.5, 15]), (True, [4.5, 7, 9.5, 12])])
def test_values_of_detectron2_s_own_test(aligned, column):
    expected = torch.tensor(column)[:, None] + torch.tensor([0, 0.5, 1, 1.5])
    assert cut(align(sampling=0, aligned=aligned), SQUARE, BOX).equal(expected)


def test_position_sensitive_pooling_gives_each_bin_its_own_group():
    groups = torch.arange(2 * 9.0).view(1, 18, 1, 1).expand(1, 18, 12, 12)
    found = ps_roi_pool(groups, torch.tensor([[0.0, 1, 1, 10, 10]]), (3, 3))
    assert found[0].equal(torch.arange(18.0).view(2, 3, 3))


@pytest.mark.parametrize("operator", [Align, AlignMax])
@pytest.mark.parametrize("shift", [(1, 0), (0, 2), (3, 2)])
def test_a_shift_of_map_and_box_changes_nothing(operator, shift):
    feature = torch.rand(1, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    inside = torch.zeros(1, 1, 20, 20)
    inside[..., :12, :12] = feature
    moved = torch.roll(inside, shift, (2, 3))
    box = torch.tensor([[2.3, 1.4, 8.1, 9.9]])
    operator = operator(size=4, reductions=[1], aligned=True)
    before, after = cut(operator, inside, box), cut(operator, moved, box + torch.tensor([shift[1], shift[0]] * 2))
    torch.testing.assert_close(before, after)


def test_on_a_ramp_the_bins_are_the_ramp_at_their_middles_wherever_the_box_lies():
    """The values move with the box by any fraction; RoIPool's stay until a rounding tips, and then jump."""
    ramp = torch.arange(32.0).expand(1, 1, 32, 32).contiguous()
    steps = torch.arange(0, 2, 0.1)
    boxes = torch.tensor([[4.0, 4, 12, 12]]) + steps[:, None]
    middles = boxes[:, :1] + torch.tensor([1.0, 3, 5, 7]) - 0.5  # a cell's value stands at its middle
    found = align(aligned=True)({"0": ramp}, [boxes])[:, 0, 0]
    torch.testing.assert_close(found, middles)
    pooled = Pool(size=4, reductions=[1])({"0": ramp}, [boxes])[:, 0, 0, 0]
    assert set((pooled[1:] - pooled[:-1]).tolist()) == {0.0, 1.0}


def test_the_bins_are_grid_sample_s():
    feature = torch.rand(1, 3, 10, 14, generator=torch.Generator().manual_seed(0))
    box = torch.tensor([[1.7, 2.2, 11.3, 8.6]])
    found = align(size=5, sampling=1, aligned=True)({"0": feature}, [box])
    x = box[0, 0] + (torch.arange(5) + 0.5) * (box[0, 2] - box[0, 0]) / 5
    y = box[0, 1] + (torch.arange(5) + 0.5) * (box[0, 3] - box[0, 1]) / 5
    grid = torch.stack(torch.meshgrid(x / 14 * 2 - 1, y / 10 * 2 - 1, indexing="xy"), -1)
    torch.testing.assert_close(found, F.grid_sample(feature, grid[None], align_corners=False))


def test_the_scale_is_that_of_the_level():
    feature = torch.rand(1, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    assert cut(align(reduction=8), feature, BOX * 8).equal(cut(align(), feature, BOX))


def test_the_maximum_is_over_the_samples_that_align_averages():
    feature = torch.rand(1, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    box = torch.tensor([[0.6, 1.2, 7.9, 6.5]])
    samples = cut(align(size=8, sampling=1), feature, box)
    mean, largest = cut(align(), feature, box), cut(AlignMax(size=4, reductions=[1]), feature, box)
    torch.testing.assert_close(mean, F.avg_pool2d(samples[None], 2)[0])
    torch.testing.assert_close(largest, F.max_pool2d(samples[None], 2)[0])


def test_a_maximum_of_no_samples_is_refused():
    with pytest.raises(ValueError, match=r"model\.roi\.sampling=0: a maximum needs samples"):
        AlignMax(sampling=0, size=4, reductions=[1])


def test_features_of_half_precision_are_cut_in_full():
    found = align()({"0": SQUARE.bfloat16()}, [BOX.bfloat16()])
    assert found.dtype == torch.float32
    assert found.equal(align()({"0": SQUARE}, [BOX]))
