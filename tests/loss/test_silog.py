import math

import numpy as np
import pytest
import torch
from torch import Tensor

from src.loss.silog import Silog


def eigen(output: Tensor, target: Tensor, invariance: float) -> float:
    """mean d² - λ mean(d)², as the paper has it."""
    output, target = (tensor.detach().double().numpy() for tensor in (output, target))
    d = (output - target)[~np.isnan(target)]
    return (d**2).mean() - invariance * d.mean() ** 2


@pytest.mark.parametrize("invariance", [0.0, 0.5, 0.85, 1.0])
def test_it_is_the_papers_formula_and_the_root_of_it(depths, invariance):
    expected = eigen(*depths, invariance)
    assert Silog(invariance, root=False)(*depths).item() == pytest.approx(expected, rel=1e-6)
    assert Silog(invariance)(*depths).item() == pytest.approx(math.sqrt(expected), rel=1e-6)


def test_by_default_it_is_the_root_of_variance_and_a_share_of_the_squared_mean(depths):
    output, target = depths
    d = (output - target)[~target.isnan()]
    torch.testing.assert_close(Silog()(output, target), (d.var(correction=0) + 0.15 * d.mean() ** 2).sqrt())


def test_per_sample_is_the_mean_over_the_images_that_know_something(depths):
    output, target = depths
    target[0] = torch.nan
    each = [eigen(output[i], target[i], 0.85) for i in (1, 2)]
    assert Silog(per="sample", root=False)(output, target).item() == pytest.approx(np.mean(each), rel=1e-6)
    assert Silog(per="sample")(output, target).item() == pytest.approx(np.mean(np.sqrt(each)), rel=1e-6)


@pytest.mark.parametrize("factor", [0.01, 3.0, 1e4])
def test_at_1_a_common_factor_costs_nothing(depths, factor):
    output, target = depths
    moved = output.detach() + math.log(factor)
    torch.testing.assert_close(Silog(1.0)(moved, target), Silog(1.0)(output, target), rtol=1e-5, atol=0)
    assert abs(Silog(0.85)(moved, target) / Silog(0.85)(output, target) - 1) > 0.04


@pytest.mark.parametrize("constant", [-2.0, 0.3, 5.0])
def test_a_constant_adds_what_the_formula_says(depths, constant):
    """mean (d + c)² - λ mean(d + c)² = ... + (1 - λ) (2 c mean(d) + c²): for λ = ½ that is c mean(d) + c²/2."""
    output, target = depths
    mean = (output - target)[~target.isnan()].mean()
    for invariance in (0.0, 0.5, 1.0):
        loss = Silog(invariance, root=False)
        more = loss(output + constant, target) - loss(output, target)
        expected = (1 - invariance) * (2 * constant * mean + constant**2)
        torch.testing.assert_close(more, expected, rtol=1e-4, atol=1e-5)


def test_a_nearly_constant_error_keeps_its_digits():
    """A difference of mean squares would have none left."""
    output = 50 + 1e-3 * torch.tensor([-1.0, 1.0]).repeat(32).view(1, 1, 8, 8)
    assert Silog(1.0)(output, torch.zeros_like(output)).item() == pytest.approx(1e-3, rel=5e-3)
