import pytest
import torch
import torch.nn.functional as F

from src.loss.ohem_cross_entropy import OhemCrossEntropy


@pytest.mark.parametrize(("threshold", "min_kept"), [(0.7, 0), (0.3, 0), (0.01, 20), (0.5, 100_000)])
def test_value_and_gradient_are_the_published_rule(scene, threshold, min_kept):
    output, target = scene
    nll = F.cross_entropy(output, target, ignore_index=255, reduction="none")[target != 255]
    p = torch.exp(-nll.detach())
    limit = max(threshold, p.sort().values[min(min_kept * len(output), len(p) - 1)].item())
    expected = nll[p < limit].mean()
    ours = OhemCrossEntropy(threshold, min_kept)(output, target)
    torch.testing.assert_close(ours, expected)
    torch.testing.assert_close(torch.autograd.grad(ours, output), torch.autograd.grad(expected, output))


def test_easy_pixels_have_no_gradient():
    output = torch.tensor([[3.0, 0.1], [0.0, 0.0]]).view(1, 2, 1, 2).requires_grad_()
    OhemCrossEntropy(0.7, min_kept=0)(output, torch.zeros(1, 1, 2, dtype=torch.uint8)).backward()
    assert (output.grad[..., 0] == 0).all()
    assert (output.grad[..., 1] != 0).all()


@pytest.mark.parametrize(("arguments", "match"), [({"threshold": 0.0}, "threshold"), ({"min_kept": -1}, "min_kept=-1")])
def test_wrong_arguments_are_named(arguments, match):
    with pytest.raises(ValueError, match=match):
        OhemCrossEntropy(**arguments)
