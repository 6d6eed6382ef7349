import pytest
import torch
import torch.nn.functional as F

from src.loss.class_weights import SEGNET, median_frequency
from src.loss.weighted_cross_entropy import WeightedCrossEntropy

WEIGHTS = [0.5, 1.0, 2.0, 4.0, 8.0]
PIXELS, IMAGE_PIXELS = torch.tensor([5, 10, 20, 40, 0]), torch.tensor([100, 100, 100, 100, 0])


@pytest.mark.parametrize(("reduction", "torchs"), [("weighted_mean", "mean"), ("sum", "sum")])
def test_value_and_gradient_are_torchs(scene, reduction, torchs):
    output, target = scene
    ours = WeightedCrossEntropy(WEIGHTS, reduction)(output, target)
    theirs = F.cross_entropy(output, target, torch.tensor(WEIGHTS), ignore_index=255, reduction=torchs)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours, output), torch.autograd.grad(theirs, output))


def test_mean_divides_by_the_known_pixels(scene):
    output, target = scene
    total = WeightedCrossEntropy(WEIGHTS, "sum")(output, target)
    torch.testing.assert_close(WeightedCrossEntropy(WEIGHTS)(output, target), total / (target != 255).sum())


def test_segnets_constants_serve_eleven_classes():
    output, target = torch.randn(1, 11, 3, 3), torch.randint(0, 11, (1, 3, 3))
    loss = WeightedCrossEntropy("segnet", "sum")
    torch.testing.assert_close(
        loss(output, target), F.cross_entropy(output, target, torch.tensor(SEGNET), reduction="sum")
    )
    with pytest.raises(ValueError, match="segnet are 11 weights for 5 classes"):
        loss(torch.zeros(1, 5, 2, 2), torch.zeros(1, 2, 2, dtype=torch.uint8))


def test_calibrated_from_the_training_set(scene):
    loss = WeightedCrossEntropy("median_frequency")
    assert not loss.calibrated
    with pytest.raises(ValueError, match="median_frequency is computed from the training set"):
        loss(*scene)
    loss.calibrate(PIXELS, IMAGE_PIXELS)
    assert loss.calibrated
    torch.testing.assert_close(loss.weight, median_frequency(PIXELS, IMAGE_PIXELS))
    assert loss(*scene) > 0


@pytest.mark.parametrize("rule", ["inverse", "effective_number"])
def test_every_rule_favours_the_rare(rule):
    loss = WeightedCrossEntropy(rule)
    loss.calibrate(PIXELS, IMAGE_PIXELS)
    assert loss.weight[0] > loss.weight[1] > loss.weight[2] > loss.weight[3] > 0


def test_given_weights_are_kept_by_calibration():
    loss = WeightedCrossEntropy(WEIGHTS)
    loss.calibrate(PIXELS, IMAGE_PIXELS)
    assert loss.weight.tolist() == WEIGHTS
    with pytest.raises(ValueError, match="5 weights for 3 classes"):
        loss.calibrate(PIXELS[:3], IMAGE_PIXELS[:3])


def test_a_checkpoint_calibrates(scene):
    loss, fresh = WeightedCrossEntropy("inverse"), WeightedCrossEntropy("inverse")
    loss.calibrate(PIXELS, IMAGE_PIXELS)
    holder = torch.nn.ModuleDict({"loss": fresh})
    holder.load_state_dict(torch.nn.ModuleDict({"loss": loss}).state_dict())
    assert fresh(*scene) == loss(*scene)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="weights=inverted is none of inverse"):
        WeightedCrossEntropy("inverted")
    with pytest.raises(ValueError, match="0 or more"):
        WeightedCrossEntropy([1.0, -1.0])
    with pytest.raises(ValueError, match="beta=1"):
        WeightedCrossEntropy("effective_number", beta=1.0)


def test_a_power_tempers_what_was_counted_and_leaves_what_was_given():
    pixels, image_pixels = torch.tensor([100, 4, 0]), torch.tensor([200, 200, 0])
    whole, root, none = (WeightedCrossEntropy("inverse", power=power) for power in (1.0, 0.5, 0.0))
    for loss in (whole, root, none):
        loss.calibrate(pixels, image_pixels)
    assert torch.allclose(root.weight, whole.weight.sqrt())
    assert none.weight.tolist() == [1, 1, 0]
    given = WeightedCrossEntropy([4.0, 9.0, 1.0], power=0.5)
    given.calibrate(pixels, image_pixels)
    assert given.weight.tolist() == [4, 9, 1]
    with pytest.raises(ValueError, match=r"loss\.power=-1\.0 must be 0 or more"):
        WeightedCrossEntropy(power=-1.0)
