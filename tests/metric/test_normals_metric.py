"""Scores of normals, held against NumPy on all angles at once."""

import copy
import math
import pickle

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from src.data.description import Description
from src.metric.suite import flat, normals

KEYS = ["under_11_25", "under_5", "under_7_5", "under_22_5", "under_30", "mean_angle", "median_angle", "rmse_angle"]
DESCRIPTION = Description(("image", "normals"))


def maps(seed=0, images=3, spread=0.4):
    """Normals that scatter about the truth, some of which is unknown; the outputs are of any length."""
    draw = torch.Generator().manual_seed(seed)
    target = F.normalize(torch.randn(images, 3, 20, 30, generator=draw), dim=1)
    output = 3 * (target + spread * torch.randn(target.shape, generator=draw))
    target.movedim(1, 0)[:, torch.rand(images, 20, 30, generator=draw) < 0.2] = 0
    return output, target


def reference(output, target):
    output, target = (part.movedim(1, -1).reshape(-1, 3).double().numpy() for part in (output, target))
    known = (target != 0).any(1)
    unit = output[known] / np.linalg.norm(output[known], axis=1, keepdims=True)
    angles = np.degrees(np.arccos(np.clip((unit * target[known]).sum(1), -1, 1)))
    shares = {key: (angles < float(key[6:].replace("_", "."))).mean() for key in KEYS[:5]}
    figures = {"mean_angle": angles.mean(), "rmse_angle": np.sqrt((angles**2).mean()), "pixels": len(angles)}
    return shares | figures | {"median_angle": np.sort(angles)[(len(angles) - 1) // 2]}


def computed(suite):
    return flat(suite.compute(), DESCRIPTION)


def test_equal_to_numpy_over_all_pixels_of_all_images():
    suite, batches = normals(DESCRIPTION), [maps(0), maps(1, images=1)]
    for batch in batches:
        suite.update(*batch)
    found, wanted = computed(suite), reference(*(torch.cat(parts) for parts in zip(*batches, strict=True)))
    assert list(found) == [*KEYS, "pixels"]
    assert found.pop("median_angle") == pytest.approx(wanted.pop("median_angle"), abs=0.0051)
    assert found == pytest.approx(wanted, rel=1e-5)


def test_processes_and_batches_add_up():
    whole, halves = normals(DESCRIPTION), [normals(DESCRIPTION), normals(DESCRIPTION)]
    output, target = maps()
    whole.update(output, target)
    for half, part in zip(halves, (slice(1), slice(1, None)), strict=True):
        half.update(output[part], target[part])
    counts, sums = (sum(getattr(half["under_5"], name) for half in halves) for name in ("counts", "sums"))
    assert torch.equal(counts, whole["under_5"].counts)
    torch.testing.assert_close(sums, whole["under_5"].sums)
    assert whole["under_5"]._reductions.keys() == {"counts", "sums"}


def test_bounds_are_below_and_not_at():
    suite = normals(DESCRIPTION)
    turns = torch.tensor([0.0, 4.9999, 5.0001, 11.2499, 11.2501, 29.999, 30.001, 179.999]).deg2rad().double()
    target = torch.stack([turns.sin(), torch.zeros(8), -turns.cos()])[None, :, :, None].float()
    suite.update(torch.tensor([0.0, 0, -1]).view(1, 3, 1, 1).expand_as(target), target)
    found = computed(suite)
    assert [found[key] * 8 for key in KEYS[:5]] == [4, 2, 3, 5, 6]


def test_no_direction_is_at_a_right_angle_and_no_number_the_worst():
    suite = normals(DESCRIPTION)
    target = torch.tensor([0.0, 0, -1]).view(1, 3, 1, 1).expand(1, 3, 1, 4)
    output = torch.tensor([[0.0, 0, 0], [torch.nan, 0, 0], [torch.inf, 0, 0], [0, 0, -1]]).T.reshape(1, 3, 1, 4)
    suite.update(output, target)
    assert computed(suite)["mean_angle"] == pytest.approx((90 + 180 + 180 + 0) / 4)


def test_nothing_known_has_no_score():
    suite = normals(DESCRIPTION)
    suite.update(torch.randn(1, 3, 4, 4), torch.zeros(1, 3, 4, 4))
    found = computed(suite)
    assert found.pop("pixels") == 0
    assert all(math.isnan(value) for value in found.values())


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda suite: pickle.loads(pickle.dumps(suite))])
def test_copies_and_extra_metrics(duplicate):
    suite = normals(DESCRIPTION, extra={"own": copy.deepcopy(normals(DESCRIPTION)["under_5"])})
    suite.update(*maps())
    assert computed(duplicate(suite)) == computed(suite)
    assert computed(suite)["own"] == computed(suite)["under_5"]
    with pytest.raises(ValueError, match="may not be called mean_angle"):
        normals(DESCRIPTION, extra={"mean_angle": suite["own"]})


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="of one shape"):
        normals(DESCRIPTION).update(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 5))
