"""The proposals and terms of torchvision's network, with a gradient that its own forward cuts off."""

import torch
from torch import Tensor
from torchvision.models.detection.image_list import ImageList

from src.model.detector.differentiable import Differentiable, clipped
from src.model.detector.rpn import Rpn

PARTS = {"sizes": (8, 16), "after_nms": (9, 9), "channels": 4, "levels": 2}
IMAGES = ImageList(torch.zeros(2, 3, 32, 40), [(32, 40), (30, 33)])
TARGETS = [{"boxes": torch.tensor([[3.0, 4, 12, 11]])}, {"boxes": torch.tensor([[0.0, 8, 20, 25], [2, 2, 9, 9]])}]


def features() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {"0": torch.randn(2, 4, 8, 10, generator=generator), "1": torch.randn(2, 4, 4, 5, generator=generator)}


def proposed(kind: type[Rpn]) -> tuple[list[Tensor], dict[str, Tensor], Rpn]:
    torch.manual_seed(0)
    network = kind(**PARTS)
    torch.nn.init.normal_(network.head.bbox_pred.weight, std=0.5)
    boxes, terms = network(IMAGES, features(), TARGETS)
    return boxes, terms, network


def test_boxes_and_terms_are_those_of_the_plain_network():
    boxes, terms, network = proposed(Differentiable)
    expected, prices, _ = proposed(Rpn)
    torch.testing.assert_close(boxes, expected)
    torch.testing.assert_close(terms, prices)
    with torch.no_grad():
        found, nothing = network.eval()(IMAGES, features())
    assert nothing == {}
    assert [box.shape for box in found] == [box.shape for box in boxes]


def test_a_price_on_the_boxes_reaches_their_corrections_alone_and_no_further_than_the_clip():
    boxes, _, network = proposed(Differentiable)
    (torch.cat(boxes) * torch.tensor([-2.0, -1, 3, 4])).sum().backward()
    assert network.head.bbox_pred.weight.grad.any()
    assert network.head.cls_logits.weight.grad is None
    # each of the 18 boxes moves four numbers, by at most the half of 1/512 that is each image's
    assert 0 < network.head.bbox_pred.bias.grad.abs().sum() <= 18 * 4 / 1024
    assert not proposed(Rpn)[0][0].requires_grad


def test_a_clip_holds_for_whoever_asked_and_for_nobody_else():
    values = torch.tensor([1.0, 2, 3], requires_grad=True)
    (clipped(values, 0.5) * torch.tensor([0.1, -9, 9])).sum().backward()
    assert values.grad.equal(torch.tensor([0.1, -0.5, 0.5]))
    values.grad = None
    both = values * 2
    (clipped(both, 0.5) * 9 + both * 9).sum().backward()
    assert values.grad.tolist() == [19, 19, 19]
