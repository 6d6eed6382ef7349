import pytest
import torch
import torch.nn.functional as F

from src.loss.cross_entropy import CrossEntropy


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize(("reduction", "torchs"), [("mean", "mean"), ("weighted_mean", "mean"), ("sum", "sum")])
def test_value_and_gradient_are_torchs(scene, reduction, torchs, smoothing):
    output, target = scene
    ours = CrossEntropy(reduction, smoothing)(output, target)
    theirs = F.cross_entropy(output, target, ignore_index=255, reduction=torchs, label_smoothing=smoothing)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours, output), torch.autograd.grad(theirs, output))


def test_fewer_known_pixels_do_not_make_a_smaller_mean():
    output = torch.randn(1, 3, 1, 1).expand(1, 3, 4, 4)
    full, sparse = torch.ones(1, 4, 4, dtype=torch.uint8), torch.full((1, 4, 4), 255, dtype=torch.uint8)
    sparse[0, 0, 0] = 1
    torch.testing.assert_close(CrossEntropy()(output, sparse), CrossEntropy()(output, full))


def test_one_channel_is_sent_elsewhere():
    with pytest.raises(ValueError, match="use binary_cross_entropy"):
        CrossEntropy()(torch.zeros(1, 1, 2, 2), torch.zeros(1, 2, 2, dtype=torch.uint8))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"reduction=none is none of mean, weighted_mean, sum"):
        CrossEntropy("none")
    with pytest.raises(ValueError, match=r"label_smoothing=1"):
        CrossEntropy(label_smoothing=1.0)
