import pytest
import torch

from src.metric.superpixels import achievable_accuracy, undersegmentation_error

SUPERPIXELS = torch.tensor([[0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1]])


def test_superpixels_that_keep_to_the_borders_are_perfect():
    target = torch.tensor([[4, 4, 4, 7, 7, 7]] * 2)
    assert achievable_accuracy(SUPERPIXELS, target) == 1
    assert undersegmentation_error(SUPERPIXELS, target) == 0


def test_by_hand():
    target = torch.tensor([[0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 2, 255]])
    # the second holds 2 of class 0, 2 of class 1, 1 of class 2: it takes 2 of 5 right and each class leaks its own
    assert achievable_accuracy(SUPERPIXELS, target) == pytest.approx(8 / 11)
    assert undersegmentation_error(SUPERPIXELS, target) == pytest.approx((2 + 2 + 1) / 11)


def test_nothing_known():
    assert achievable_accuracy(SUPERPIXELS, torch.full((2, 6), 255)).isnan()
