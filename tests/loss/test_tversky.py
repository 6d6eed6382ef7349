import pytest
import torch
from segmentation_models_pytorch.losses import TverskyLoss

from src.loss.dice import Dice
from src.loss.tversky import Tversky


@pytest.mark.parametrize("smooth", [0.0, 1.0])
def test_value_and_gradient_are_segmentation_models(scene, smooth):
    output, target = scene
    ours = Tversky(0.3, 0.7, smooth=smooth, absent="zero")(output, target)
    theirs = TverskyLoss("multiclass", alpha=0.3, beta=0.7, smooth=smooth, ignore_index=255)(output, target)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours, output), torch.autograd.grad(theirs, output))


def test_equal_prices_are_dice(scene):
    torch.testing.assert_close(Tversky(0.5, 0.5)(*scene), Dice()(*scene))


def test_gamma_is_the_power_of_each_class(masks):
    output, target = masks
    expected = sum(
        Tversky(0.3, 0.7)(output[:, index : index + 1], target[:, index : index + 1]) ** 0.75 for index in range(2)
    )
    torch.testing.assert_close(Tversky(0.3, 0.7, gamma=0.75)(output, target), expected / 2)


def test_a_perfect_class_has_a_finite_slope_below_gamma_1():
    output = torch.tensor([200.0, -200.0]).view(1, 2, 1, 1).requires_grad_()
    Tversky(gamma=0.75)(output, torch.zeros(1, 1, 1, dtype=torch.uint8)).backward()
    assert output.grad.isfinite().all()


@pytest.mark.parametrize(("arguments", "match"), [({"alpha": -1.0}, "alpha"), ({"gamma": 0.0}, "gamma")])
def test_wrong_arguments_are_named(arguments, match):
    with pytest.raises(ValueError, match=match):
        Tversky(**arguments)
