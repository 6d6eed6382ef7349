import pytest
import torch
import torch.nn.functional as F

from src.loss.binary_cross_entropy import BinaryCrossEntropy


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_overlapping_masks_are_torchs(masks, reduction):
    output, target = masks
    known = target != 255
    ours = BinaryCrossEntropy(reduction)(output, target)
    theirs = F.binary_cross_entropy_with_logits(output[known], target[known].float(), reduction=reduction)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours, output), torch.autograd.grad(theirs, output))


def test_classes_are_one_against_the_rest(scene):
    output, target = scene
    known = (target != 255)[:, None].expand_as(output)
    one_hot = torch.arange(5)[:, None, None] == target[:, None]
    ours = BinaryCrossEntropy()(output, target)
    theirs = F.binary_cross_entropy_with_logits(output[known], one_hot[known].float())
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours, output), torch.autograd.grad(theirs, output))


def test_wrong_reduction_is_named():
    with pytest.raises(ValueError, match="reduction=median is none of mean, sum"):
        BinaryCrossEntropy("median")
