import numpy as np
import pytest
import torch
from torch import Tensor

from src.metric.alignment import aligned
from src.metric.depth import Depth


@pytest.fixture
def maps() -> tuple[Tensor, Tensor, Tensor]:
    """Output, target and what is scored of three images; of the last nothing."""
    generator = torch.Generator().manual_seed(0)
    output = 1 + 4 * torch.rand(3, 1, 6, 7, generator=generator)
    target = 1 + 4 * torch.rand(3, 1, 6, 7, generator=generator)
    where = torch.rand(output.shape, generator=generator) < 0.6
    where[2] = False
    return output, target, where


def test_medians_agree_after_it(maps):
    output, target, where = maps
    moved = aligned(*maps, "median")
    for index in (0, 1):
        p, g = output[index][where[index]].numpy(), target[index][where[index]].numpy()
        torch.testing.assert_close(moved[index], output[index] * (np.median(g) / np.median(p)).item())
    assert torch.equal(moved[2], output[2])


def test_least_squares_is_what_numpy_finds(maps):
    output, target, where = maps
    moved = aligned(*maps, "least_squares")
    for index in (0, 1):
        p, g = output[index][where[index]].double().numpy(), target[index][where[index]].double().numpy()
        factor, shift = np.linalg.lstsq(np.stack([p, np.ones_like(p)], 1), g, rcond=None)[0]
        torch.testing.assert_close(moved[index], factor.item() * output[index] + shift.item())
    assert torch.equal(moved[2], output[2])


def test_an_output_without_contrast_becomes_the_mean(maps):
    _, target, where = maps
    moved = aligned(torch.ones_like(target), target, where, "least_squares")
    torch.testing.assert_close(moved[0, 0, 0, 0], target[0][where[0]].mean())


@pytest.mark.parametrize(("align", "shift"), [("median", 0.0), ("least_squares", 1.5)])
def test_images_are_aligned_each_by_itself_before_they_are_clamped(align, shift):
    target = 1 + 8 * torch.rand(4, 1, 5, 5)
    factor = torch.tensor([0.01, 0.5, 3.0, 100.0]).view(4, 1, 1, 1)
    metric = Depth(align=align)
    metric.update(factor * target + shift, target)
    assert metric.compute()["abs_rel"] == pytest.approx(0, abs=1e-5)
    plain = Depth()
    plain.update(factor * target + shift, target)
    assert plain.compute()["abs_rel"] > 0.5
