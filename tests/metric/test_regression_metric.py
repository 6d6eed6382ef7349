"""Scores of a float field, held against NumPy on all values at once."""

import math

import numpy as np
import pytest
import torch

from src.data.description import Description
from src.metric.regression import merged
from src.metric.suite import flat, regression

DESCRIPTION = Description(("image", "albedo"))


def maps(seed=0, images=3, offset=0.0):
    draw = torch.Generator().manual_seed(seed)
    target = offset + torch.rand(images, 3, 7, 9, generator=draw)
    output = target + 0.1 * torch.randn(target.shape, generator=draw)
    target[torch.rand(target.shape, generator=draw) < 0.2] = torch.nan
    return output, target


def reference(output, target):
    output, target = output.double().numpy(), target.double().numpy()
    known = ~np.isnan(target)
    error, target = (output - target)[known], target[known]
    r2 = 1 - (error**2).sum() / ((target - target.mean()) ** 2).sum()
    return {"r2": r2, "rmse": np.sqrt((error**2).mean()), "mae": np.abs(error).mean(), "known": known.sum()}


def computed(suite):
    return flat(suite.compute(), DESCRIPTION)


@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_equal_to_numpy_over_all_values_also_far_from_nothing(offset):
    suite, batches = regression(DESCRIPTION), [maps(0, 3, offset), maps(1, 1, offset), maps(2, 2, offset)]
    for batch in batches:
        suite.update(*batch)
    found, wanted = computed(suite), reference(*(torch.cat(parts) for parts in zip(*batches, strict=True)))
    assert list(found) == ["r2", "rmse", "mae", "known"]
    assert found == pytest.approx(wanted, rel=1e-6)


def test_processes_are_merged_as_batches_are():
    whole, halves = regression(DESCRIPTION), [regression(DESCRIPTION), regression(DESCRIPTION)]
    for index, half in enumerate(halves):
        half.update(*maps(index, images=index + 1, offset=10 * index))
        whole.update(*maps(index, images=index + 1, offset=10 * index))
    together = halves[0]["r2"]
    states = torch.stack([half["r2"].moments for half in halves])
    assert together._reductions["moments"] is merged  # what torchmetrics calls on the states of all processes
    torch.testing.assert_close(merged(states), whole["r2"].moments)


def test_an_empty_part_changes_nothing():
    moments = torch.tensor([4.0, 2.5, 1.25], dtype=torch.float64)
    assert torch.equal(merged(torch.stack([moments, torch.zeros(3, dtype=torch.float64)])), moments)


def test_the_mean_scores_nothing_and_the_truth_one():
    _, target = maps()
    for output, score in ((target.nanmean().expand_as(target), 0), (target.nan_to_num(5), 1)):
        suite = regression(DESCRIPTION)
        suite.update(output, target)
        assert computed(suite)["r2"] == pytest.approx(score, abs=1e-9)


def test_where_there_is_nothing_to_explain_there_is_no_score():
    suite = regression(DESCRIPTION)
    suite.update(torch.zeros(1, 1, 2, 2), torch.full((1, 1, 2, 2), torch.nan))
    assert all(math.isnan(computed(suite)[key]) for key in ("r2", "rmse", "mae"))
    suite.update(torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2))
    assert math.isnan(computed(suite)["r2"])
    assert computed(suite)["mae"] == 1
