from functools import partial

import pytest
import torch
from torch import nn

from src.task.task import groups


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
        self.head = nn.Conv2d(4, 2, 1)


def test_weight_decay_spares_norms_and_biases():
    net = Net()
    found = groups(net, partial(torch.optim.AdamW, lr=1.0, weight_decay=0.1), 1.0)
    spared = {id(p) for group in found if group.get("weight_decay") == 0 for p in group["params"]}
    convolution, norm = net.backbone
    assert spared == {id(p) for p in (convolution.bias, norm.weight, norm.bias, net.head.bias)}
    assert sum(len(group["params"]) for group in found) == len(list(net.parameters()))
    optimizer = torch.optim.AdamW(found, lr=1.0, weight_decay=0.1)
    assert {group["weight_decay"] for group in optimizer.param_groups} == {0.0, 0.1}


def test_the_backbone_learns_at_a_rate_of_its_own_and_the_heads_group_is_last():
    net = Net()
    found = groups(net, partial(torch.optim.SGD, lr=2.0), 0.1)
    rates = {id(p): group.get("lr", 2.0) for group in found for p in group["params"]}
    assert all(rates[id(p)] == pytest.approx(0.2) for p in net.backbone.parameters())
    assert all(rates[id(p)] == 2.0 for p in net.head.parameters())
    assert found[-1]["params"][-1] is net.head.bias


def test_a_stage_that_the_neck_took_from_the_backbone_learns_at_its_rate():
    net = Net()
    net.neck = nn.Module()
    net.neck.stage, net.neck.inner = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)
    found = groups(net, partial(torch.optim.SGD, lr=2.0), 0.1)
    rates = {id(p): group.get("lr", 2.0) for group in found for p in group["params"]}
    assert all(rates[id(p)] == pytest.approx(0.2) for p in net.neck.stage.parameters())
    assert all(rates[id(p)] == 2.0 for p in net.neck.inner.parameters())


def test_what_is_frozen_is_in_no_group():
    net = Net()
    net.backbone.requires_grad_(False)
    found = groups(net, partial(torch.optim.SGD, lr=2.0), 1.0)
    assert {id(p) for group in found for p in group["params"]} == {id(p) for p in net.head.parameters()}
    net.requires_grad_(False)
    with pytest.raises(ValueError, match=r"task\.freeze leaves nothing"):
        groups(net, partial(torch.optim.SGD, lr=2.0), 1.0)


def test_a_rate_of_its_own_needs_a_backbone():
    with pytest.raises(ValueError, match="Linear has no part named backbone"):
        groups(nn.Linear(2, 2), partial(torch.optim.SGD, lr=2.0), 0.1)


def test_a_rate_of_its_own_needs_a_rate():
    with pytest.raises(ValueError, match=r"optimizer\.lr"):
        groups(Net(), partial(torch.optim.Adadelta), 0.1)
