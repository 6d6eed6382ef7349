"""Mask R-CNN's loss, term by term, against torchvision's."""

import pytest
import torch
from torch import Tensor, nn
from torchvision.models.detection.roi_heads import keypointrcnn_loss, keypoints_to_heatmap, maskrcnn_loss
from torchvision.ops import roi_align

from src.loss.mask_rcnn import TERMS, MaskRCNN
from src.loss.roi_dice import RoiDice

BOXES = torch.tensor([[2.0, 3, 20, 17], [0, 0, 9, 30], [11, 5, 30, 28]])


def scalars() -> dict[str, Tensor]:
    return {name: torch.tensor(float(value)) for value, name in enumerate(TERMS[:4], 1)}


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0)).requires_grad_()


def test_masks_cost_what_torchvision_says():
    logits, masks = drawn(3, 5, 28, 28), (drawn(2, 32, 32) > 0).to(torch.uint8)
    labels, index = torch.tensor([4, 2]), torch.tensor([0, 1, 1])
    expected = maskrcnn_loss(logits, [BOXES], [masks], [labels], [index])
    rois = torch.cat([index[:, None].float(), BOXES], 1)
    target = roi_align(masks[:, None].float(), rois, 28)[:, 0]
    chosen = logits[torch.arange(3), labels[index]]
    torch.testing.assert_close(MaskRCNN().terms({"mask": (chosen, target)})["mask"], expected)


def test_keypoints_cost_what_torchvision_says():
    logits = drawn(3, 4, 56, 56)
    points = torch.cat([drawn(2, 4, 2).detach().abs() * 15, torch.tensor([0.0, 1, 2, 2]).expand(2, 4)[..., None]], 2)
    index = torch.tensor([0, 1, 1])
    expected = keypointrcnn_loss(logits, [BOXES], [points], [index])
    cells, known = keypoints_to_heatmap(points[index], BOXES, 56)
    assert 0 < known.sum() < known.numel()
    target = torch.where(known > 0, cells, -100)
    torch.testing.assert_close(MaskRCNN().terms({"keypoint": (logits, target)})["keypoint"], expected)


@pytest.mark.parametrize("mask", [None, RoiDice(), RoiDice(cross_entropy=0.0)])
def test_nothing_to_learn_from_costs_nothing_and_has_a_gradient(mask):
    masks, points = drawn(0, 28, 28), drawn(2, 4, 56, 56)
    unseen = torch.full((2, 4), -100)
    terms = MaskRCNN(mask=mask).terms({"mask": (masks, torch.zeros(0, 28, 28)), "keypoint": (points, unseen)})
    assert [term.item() for term in terms.values()] == [0, 0]
    sum(terms.values()).backward()
    assert points.grad.eq(0).all()
    assert masks.grad is not None


def test_the_sum_is_weighted_and_terms_are_not():
    loss = MaskRCNN({"class": 3.0, "box": 0.0})
    assert loss.weights == {**dict.fromkeys(TERMS, 1.0), "class": 3.0, "box": 0.0}
    assert loss.terms(scalars()) == scalars()
    assert loss(scalars()) == 1 + 2 + 3 * 3 + 0 * 4


def test_another_loss_of_the_masks_takes_the_place_of_cross_entropy():
    logits, target = drawn(3, 8, 8), (drawn(3, 8, 8) > 0.3).float()
    loss = MaskRCNN(mask=nn.MSELoss())
    assert loss.terms({"mask": (logits, target)})["mask"].equal(nn.functional.mse_loss(logits, target))


def test_a_weight_without_a_term_is_refused():
    with pytest.raises(ValueError, match=r"loss\.weights names \['masks'\]: the terms are objectness, rpn_box"):
        MaskRCNN({"masks": 1.0})
