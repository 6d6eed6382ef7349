import pytest
import torch
import torch.nn.functional as F
from torchvision.ops import sigmoid_focal_loss

from src.loss.focal import Focal


@pytest.mark.parametrize("alpha", [None, 0.25])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_overlapping_masks_are_torchvisions(masks, alpha, reduction):
    output, target = masks
    known = target != 255
    ours = Focal(alpha=alpha, reduction=reduction)(output, target)
    theirs = sigmoid_focal_loss(output[known], target[known].float(), -1 if alpha is None else alpha, 2, reduction)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours, output), torch.autograd.grad(theirs, output))


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
def test_classes_are_the_papers_formula(scene, gamma):
    output, target = scene
    p = output.double().softmax(1)
    terms = [
        -((1 - p[b, t, y, x]) ** gamma) * p[b, t, y, x].log()
        for b, y, x in (target != 255).nonzero().tolist()
        for t in [target[b, y, x]]
    ]
    expected = torch.stack(terms).mean().float()
    ours = Focal(gamma)(output, target)
    torch.testing.assert_close(ours, expected)
    torch.testing.assert_close(torch.autograd.grad(ours, output), torch.autograd.grad(expected, output))


def test_gamma_0_is_cross_entropy(scene):
    torch.testing.assert_close(Focal(gamma=0.0)(*scene), F.cross_entropy(*scene, ignore_index=255))


def test_a_certain_pixel_has_a_finite_slope_below_gamma_1():
    output = torch.tensor([100.0, -100.0]).view(1, 2, 1, 1).requires_grad_()
    Focal(gamma=0.5)(output, torch.zeros(1, 1, 1, dtype=torch.uint8)).backward()
    assert output.grad.isfinite().all()


def test_alpha_needs_yes_and_no(scene):
    with pytest.raises(ValueError, match="alpha=null"):
        Focal(alpha=0.25)(*scene)


@pytest.mark.parametrize(("arguments", "match"), [({"gamma": -1.0}, "gamma"), ({"alpha": 2.0}, "alpha")])
def test_wrong_arguments_are_named(arguments, match):
    with pytest.raises(ValueError, match=match):
        Focal(**arguments)
