"""Bytes that are alive at once, counted by hand, and the same on every device."""

import torch
from torch import nn
from torch.nn import functional as F

from src.run.profile.live import Live

KIB = 2**10


def test_what_is_held_counts_and_what_is_freed_does_not():
    with Live(nn.Identity()) as live:
        first = torch.empty(KIB, dtype=torch.uint8)
        second = first + 1
        assert live.now == live.peak == 2 * KIB
        del first
        assert (live.now, live.peak) == (KIB, 2 * KIB)
        third = second + 1
        assert (live.now, live.peak) == (2 * KIB, 2 * KIB)
        view, same = third[2:], third.relu_()
        del third
        assert live.now == 2 * KIB  # a view keeps what it is of
        del view, same
        assert live.now == KIB


def test_a_model_counts_from_the_beginning_and_a_shared_weight_once():
    model = nn.Sequential(nn.Linear(16, 16, bias=False), nn.BatchNorm1d(16))
    assert Live(model).peak == 4 * (16 * 16 + 4 * 16) + 8
    model.append(model[0])
    assert Live(model).peak == 4 * (16 * 16 + 4 * 16) + 8


def test_a_step_keeps_what_the_backward_pass_needs_on_every_device():
    """Each ReLU's result is kept for its gradient in training; in evaluation two are alive at once."""
    peaks = {}
    for device in ("cpu", "meta"):
        model, target = nn.Sequential(*(nn.ReLU() for _ in range(6))), torch.zeros(1, 16, 16, dtype=torch.long)
        target = target.to(device)
        with Live(model) as live:
            image = torch.zeros(1, 4, 16, 16, device=device)
            with torch.no_grad():
                model(image)
            evaluated = live.peak
            F.cross_entropy(model(image.requires_grad_()), target).backward()
        peaks[device] = evaluated // KIB, live.peak // KIB
    assert peaks["cpu"] == peaks["meta"]
    assert peaks["cpu"][0] == 3 * 4  # the image, and two
    assert peaks["cpu"][1] >= 8 * 4  # the image, six, and the logarithms
