import pytest
import torch
from segmentation_models_pytorch.losses import DiceLoss

from src.loss.dice import Dice


def test_the_lectures_example(lecture):
    output, target = lecture
    torch.testing.assert_close(1 - Dice()(output, target), torch.tensor(2 * 7.41 / (7.82 + 8)))
    assert round(1 - Dice()(output, target).item(), 4) == 0.9368


@pytest.mark.parametrize("smooth", [0.0, 1.0])
def test_absent_classes_counted_as_zero_are_segmentation_models(scene, smooth):
    output, target = scene
    ours = Dice(2 * smooth, absent="zero")(output, target)  # theirs halves the whole fraction first
    theirs = DiceLoss("multiclass", smooth=smooth, ignore_index=255)(output, target)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours, output), torch.autograd.grad(theirs, output))


def test_overlapping_masks_are_segmentation_models(masks):
    output, target = masks
    torch.testing.assert_close(Dice()(output, target), DiceLoss("multilabel", ignore_index=255)(output, target))


def test_per_sample_is_the_mean_over_images(scene):
    output, target = scene
    images = [Dice()(output[i : i + 1], target[i : i + 1]) for i in range(len(output))]
    torch.testing.assert_close(Dice(per="sample")(output, target), torch.stack(images).mean())
    assert (Dice(per="sample")(output, target) - Dice()(output, target)).abs() > 1e-4
