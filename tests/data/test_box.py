import numpy as np
import pytest
import torch
from torchvision.ops import masks_to_boxes

from src.data.box import box


@pytest.mark.parametrize("dtype", [bool, np.uint8])
@pytest.mark.parametrize("size", [(1, 1), (2, 7), (7, 2), (1, 30), (40, 33)])
def test_a_box_holds_the_edges_of_the_pixels_as_torchvision_finds_them(size, dtype):
    rng = np.random.default_rng(0)
    for share in (0.05, 0.5, 1.0):
        mask = rng.random(size) < share
        mask[rng.integers(size[0]), rng.integers(size[1])] = True
        expected = masks_to_boxes(torch.from_numpy(mask)[None])[0] + torch.tensor([0, 0, 1, 1])
        assert box(mask.astype(dtype)) == tuple(expected.int().tolist())


def test_an_empty_mask_has_an_empty_box():
    assert box(np.zeros((3, 4), bool)) == (0, 0, 0, 0)
