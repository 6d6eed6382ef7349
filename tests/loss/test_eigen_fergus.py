import numpy as np
import pytest
import torch

from src.loss.eigen_fergus import EigenFergus


def test_it_is_the_papers_formula_for_each_image(depths):
    output, target = (tensor.detach().double().numpy() for tensor in depths)
    each = []
    for d in (output - target)[:, 0]:
        n = (~np.isnan(d)).sum()
        slopes = sum(np.nansum(np.diff(d, axis=axis) ** 2) for axis in (0, 1))
        each.append((np.nansum(d**2) + slopes) / n - np.nansum(d) ** 2 / (2 * n**2))
    assert EigenFergus()(*depths).item() == pytest.approx(np.mean(each), rel=1e-6)


@pytest.mark.parametrize("constant", [-1.0, 0.7])
def test_a_constant_adds_its_product_with_the_mean_and_half_its_square(depths, constant):
    output, target = (tensor[1:2] for tensor in depths)
    more = EigenFergus()(output + constant, target) - EigenFergus()(output, target)
    torch.testing.assert_close(more, constant * (output - target).nanmean() + constant**2 / 2, rtol=1e-4, atol=1e-5)
    free = EigenFergus(invariance=1.0)
    torch.testing.assert_close(free(output + constant, target), free(output, target), rtol=1e-5, atol=0)


def test_the_last_term_has_a_weight(depths):
    values = [EigenFergus(gradient=weight)(*depths) for weight in (0.0, 1.0, 3.0)]
    torch.testing.assert_close(values[2] - values[0], 3 * (values[1] - values[0]))
