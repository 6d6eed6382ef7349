import pytest
import torch
from segmentation_models_pytorch.losses import LovaszLoss

from src.loss.lovasz import Lovasz, _descending


@pytest.mark.parametrize("per", ["batch", "sample"])
def test_value_and_gradient_are_segmentation_models(scene, per):
    output, target = scene
    ours = Lovasz(per)(output, target)
    theirs = LovaszLoss("multiclass", per_image=per == "sample", ignore_index=255)(output, target)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours, output), torch.autograd.grad(theirs, output))


@pytest.mark.parametrize("per", ["batch", "sample"])
def test_one_channel_is_segmentation_models_hinge(masks, per):
    output, target = masks[0][:, :1], masks[1][:, :1]
    ours = Lovasz(per)(output, target)
    theirs = LovaszLoss("binary", per_image=per == "sample", ignore_index=255)(output, target)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(torch.autograd.grad(ours, masks[0]), torch.autograd.grad(theirs, masks[0]))


def test_of_certain_answers_it_is_1_minus_iou():
    classes, target = torch.tensor([[[0, 0, 1, 1, 1, 1]]]), torch.tensor([[[0, 1, 1, 1, 1, 255]]])
    output = 100 * torch.nn.functional.one_hot(classes).movedim(-1, 1).float()
    assert Lovasz()(output, target).item() == pytest.approx((1 / 2 + 1 / 4) / 2)


def test_an_absent_class_can_count_by_its_largest_error():
    output, target = torch.tensor([0.0, 1.0, 3.0]).view(1, 3, 1, 1), torch.zeros(1, 1, 1, dtype=torch.uint8)
    p = output.softmax(1).flatten()
    torch.testing.assert_close(Lovasz()(output, target), 1 - p[0])
    torch.testing.assert_close(Lovasz(absent="count")(output, target), (1 - p[0] + p[1] + p[2]) / 3)


def test_of_nothing_known_an_absent_class_has_no_error():
    assert Lovasz(absent="count")(torch.randn(1, 3, 2, 2), torch.full((1, 2, 2), 255)) == 0


@pytest.mark.parametrize(("arguments", "match"), [({"per": "image"}, "per=image"), ({"absent": "zero"}, "absent=zero")])
def test_unknown_words_are_named(arguments, match):
    with pytest.raises(ValueError, match=match):
        Lovasz(**arguments)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_order_is_that_of_a_stable_sort(dtype):
    values = torch.randn(1000).mul(3).round().to(dtype)  # many equal ones, of either sign
    values[:4] = torch.tensor([-torch.inf, torch.inf, 1e-40, -1e-40])
    assert torch.equal(_descending(values), values.argsort(descending=True, stable=True))
