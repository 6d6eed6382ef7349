import pytest
import torch

from src.loss.cross_entropy import CrossEntropy
from src.loss.dice import Dice
from src.loss.weighted_sum import WeightedSum


def test_terms_are_unweighted_and_the_sum_is_weighted(scene):
    loss = WeightedSum({"cross_entropy": CrossEntropy(), "dice": Dice()}, {"cross_entropy": 0.5, "dice": 3.0})
    terms = loss.terms(*scene)
    torch.testing.assert_close(terms, {"cross_entropy": CrossEntropy()(*scene), "dice": Dice()(*scene)})
    torch.testing.assert_close(loss(*scene), 0.5 * terms["cross_entropy"] + 3 * terms["dice"])


@pytest.mark.parametrize("weights", [{}, {"dice": 1.0, "focal": 1.0}])
def test_each_loss_needs_a_weight(weights):
    with pytest.raises(ValueError, match="give each loss a weight"):
        WeightedSum({"dice": Dice()}, weights)
