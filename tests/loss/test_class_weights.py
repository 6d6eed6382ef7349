import pytest
import torch

from src.loss.class_weights import effective_number, inverse, median_frequency

PIXELS = torch.tensor([60, 30, 10, 0])
IMAGE_PIXELS = torch.tensor([100, 100, 50, 0])


def test_inverse():
    weights = inverse(PIXELS)
    torch.testing.assert_close(weights, torch.tensor([100 / 180, 100 / 90, 100 / 30, 0]))
    assert (weights * PIXELS).sum() / PIXELS.sum() == pytest.approx(1)


def test_median_frequency():
    # frequencies .6, .3 and .2 in the images that hold the class; their median is .3
    torch.testing.assert_close(median_frequency(PIXELS, IMAGE_PIXELS), torch.tensor([0.5, 1.0, 1.5, 0.0]))


def test_median_of_an_even_number_lies_between():
    weights = median_frequency(torch.tensor([20, 80]), torch.tensor([100, 100]))
    torch.testing.assert_close(weights, torch.tensor([2.5, 0.625]))


def test_effective_number():
    weights = effective_number(PIXELS, beta=0.9)
    raw = [(1 - 0.9) / (1 - 0.9**n) for n in (60, 30, 10)]
    torch.testing.assert_close(weights, torch.tensor([3 * w / sum(raw) for w in raw] + [0]))


@pytest.mark.parametrize("rule", [inverse, lambda p: median_frequency(p, p), lambda p: effective_number(p, 0.9)])
def test_nothing_counted_weighs_nothing(rule):
    assert rule(torch.zeros(3, dtype=torch.int64)).tolist() == [0, 0, 0]
