"""U-Net's weight map against all pairs of pixels, and the loss that it weighs."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from skimage import measure

from src.loss.border_cross_entropy import BorderCrossEntropy, border
from src.loss.class_weights import inverse

PIXELS = torch.tensor([60, 20, 15, 5, 1])


def brute(mask: np.ndarray, w0: float, sigma: float, foreground: set[int]) -> np.ndarray:
    """The formula as the paper writes it, from the distance of every pixel to every pixel of every object."""
    distances = []
    places = np.indices(mask.shape).reshape(2, -1).T
    for index in foreground:
        parts = measure.label(mask == index, connectivity=1)
        for number in range(1, parts.max() + 1):
            here = np.argwhere(parts == number)
            distances.append(np.sqrt(((places[:, None] - here) ** 2).sum(-1)).min(1))
    if len(distances) < 2:
        return np.zeros(mask.shape)
    d1, d2 = np.sort(distances, axis=0)[:2]
    return (w0 * np.exp(-((d1 + d2) ** 2) / (2 * sigma**2))).reshape(mask.shape)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("w0", "sigma"), [(10.0, 5.0), (3.0, 1.5)])
@pytest.mark.parametrize("foreground", [None, (1,), (2, 0)])
def test_the_map_is_that_of_all_pairs(seed, w0, sigma, foreground):
    rng = np.random.default_rng(seed)
    blobs = rng.choice([0, 0, 1, 2, 255], (9, 7)).repeat(4, 0).repeat(5, 1).astype(np.uint8)
    found = border(blobs, w0, sigma, foreground)
    expected = brute(blobs, w0, sigma, {1, 2} if foreground is None else set(foreground))
    assert expected.max() > 0.5 * w0
    np.testing.assert_allclose(found, expected, atol=1.01e-4 * w0, rtol=1e-5)


def test_a_gap_of_two_pixels_by_hand():
    mask = np.zeros((1, 8), np.uint8)
    mask[0, [1, 2, 5, 6]] = 1  # each pixel's distances to the left object and to the right one add up
    sums = np.array([1 + 5, 0 + 4, 0 + 3, 1 + 2, 2 + 1, 3 + 0, 4 + 0, 5 + 1])
    np.testing.assert_allclose(border(mask, 10.0, 5.0)[0], 10 * np.exp(-(sums**2) / 50), rtol=1e-6)


@pytest.mark.parametrize("mask", [[[0, 0, 0]], [[0, 1, 1]], [[255, 255, 0]]])
def test_fewer_than_two_objects_have_no_border(mask):
    assert (border(np.array(mask), 10.0, 5.0) == 0).all()


def test_weights_are_balance_and_border_and_nothing_where_unknown():
    loss = BorderCrossEntropy()
    loss.calibrate(torch.tensor([30, 10]), torch.tensor([40, 40]))
    target = torch.tensor([[[1, 0, 0, 255, 1, 1]]], dtype=torch.uint8)
    gaps = torch.from_numpy(border(target[0].numpy(), 10.0, 5.0))
    expected = torch.tensor([[2.0, 2 / 3, 2 / 3, 0, 2, 2]]) + gaps
    expected[0, 3] = 0
    torch.testing.assert_close(loss.weights(target), expected[None])


@pytest.mark.parametrize("reduction", ["mean", "weighted_mean", "sum"])
def test_value_and_gradient_are_those_of_torch_weighed(scene, reduction):
    output, target = scene
    loss = BorderCrossEntropy(w0=4.0, sigma=2.0, reduction=reduction)
    loss.calibrate(PIXELS, PIXELS)
    maps = np.stack([brute(image, 4.0, 2.0, {1, 2, 3, 4}) for image in target.numpy()])
    known = target != 255
    weights = (torch.from_numpy(maps).float() + inverse(PIXELS)[target.clamp_max(4)]) * known
    theirs = (F.cross_entropy(output, target, ignore_index=255, reduction="none") * weights).sum()
    divisor = {"mean": known.sum(), "weighted_mean": weights.sum(), "sum": 1}[reduction]
    ours = loss(output, target)
    torch.testing.assert_close(ours, theirs / divisor, rtol=1e-4, atol=0)
    slopes = (torch.autograd.grad(value, output)[0] for value in (ours, theirs / divisor))
    torch.testing.assert_close(*slopes, rtol=1e-3, atol=1e-5)
    if reduction != "sum":
        torch.testing.assert_close(loss.total_weight(target).float(), divisor.float(), rtol=1e-4, atol=0)


def test_without_border_and_balance_it_is_cross_entropy(scene):
    output, target = scene
    ours = BorderCrossEntropy(w0=0.0, balance=False)(output, target)
    torch.testing.assert_close(ours, F.cross_entropy(output, target, ignore_index=255))


def test_balance_waits_for_the_training_set_or_a_checkpoint(scene):
    loss, fresh = BorderCrossEntropy(), BorderCrossEntropy()
    with pytest.raises(ValueError, match=r"loss\.balance=true is computed from the training set"):
        loss(*scene)
    loss.calibrate(PIXELS, PIXELS)
    fresh.load_state_dict(loss.state_dict())
    assert fresh.calibrated
    assert fresh(*scene) == loss(*scene)
    with pytest.raises(ValueError, match="counted 5 classes, the output has 3"):
        loss(torch.zeros(1, 3, 2, 2), torch.zeros(1, 2, 2, dtype=torch.uint8))


def test_what_is_given_is_not_calibrated_away(scene):
    loss = BorderCrossEntropy(balance=False)
    before = loss(*scene)
    loss.calibrate(PIXELS, PIXELS)
    assert loss(*scene) == before


def test_wrong_arguments_are_named():
    for options, said in (
        ({"w0": -1.0}, r"loss\.w0=-1\.0 is a weight"),
        ({"sigma": 0.0}, r"loss\.sigma=0\.0 is a distance"),
        ({"sigma": math.inf}, r"loss\.sigma=inf"),
        ({"foreground": []}, r"loss\.foreground=\[\]: give one class index or more"),
        ({"reduction": "none"}, r"loss\.reduction=none is none of mean"),
    ):
        with pytest.raises(ValueError, match=said):
            BorderCrossEntropy(**options)
    with pytest.raises(ValueError, match=r"loss\.foreground=\[2\]: the classes here are 0 to 1"):
        BorderCrossEntropy(foreground=[2], balance=False)(torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2).byte())
