import numpy as np
import pytest
import torch
from torch import Tensor

from src.loss.gradient import Gradient


def reference(output: Tensor, target: Tensor, scales: int, power: int) -> tuple[float, int]:
    """The sum over pairs of known neighbours, one after the other, and the number of known values."""
    d = (output.detach().double() - target.double()).numpy()
    total = 0.0
    for scale in range(scales):
        step = 2**scale
        for plane in d.reshape(-1, *d.shape[2:]):
            sparse = plane[::step, ::step]
            for i, j in np.ndindex(sparse.shape):
                for other in ((i + 1, j), (i, j + 1)):
                    if other[0] < sparse.shape[0] and other[1] < sparse.shape[1]:
                        difference = abs(sparse[other] - sparse[i, j])
                        total += 0.0 if np.isnan(difference) else 4**scale * difference**power
    return total, int((~np.isnan(d)).sum())


@pytest.mark.parametrize("scales", [1, 2, 4, 6])
@pytest.mark.parametrize("squared", [False, True])
def test_it_sums_over_pairs_of_known_neighbours_at_each_scale(depths, scales, squared):
    total, known = reference(*depths, scales, 1 + squared)
    assert Gradient(scales, squared)(*depths).item() == pytest.approx(total / known, rel=1e-6)


def test_per_sample_each_image_is_divided_by_its_own(depths):
    output, target = depths
    target[1] = torch.nan
    each = [reference(output[i : i + 1], target[i : i + 1], 4, 1) for i in (0, 2)]
    expected = np.mean([total / known for total, known in each])
    assert Gradient(per="sample")(output, target).item() == pytest.approx(expected, rel=1e-6)


def test_a_constant_costs_nothing_and_a_ramp_its_steepness(depths):
    output, target = depths
    torch.testing.assert_close(Gradient()(output + 3, target), Gradient()(output, target), rtol=1e-4, atol=0)
    ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    assert Gradient(1)(ramp, torch.zeros_like(ramp)) == 7 / 8  # the last of 8 columns has no neighbour


def test_several_channels():
    output = torch.randn(2, 3, 5, 6)
    total, known = reference(output, torch.zeros_like(output), 2, 1)
    assert Gradient(2)(output, torch.zeros_like(output)).item() == pytest.approx(total / known, rel=1e-6)
    last = output.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(Gradient(2)(last, torch.zeros_like(last)), Gradient(2)(output, torch.zeros_like(output)))
