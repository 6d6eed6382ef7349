"""Outputs and targets that the tests of losses share."""

import pytest
import torch
from torch import Tensor

from src.data.description import UNKNOWN


@pytest.fixture
def scene() -> tuple[Tensor, Tensor]:
    """Scores of 5 classes [3 5 8 7] and classes [3 8 7], of which some are unknown and the last never occurs."""
    generator = torch.Generator().manual_seed(0)
    output = 2 * torch.randn(3, 5, 8, 7, generator=generator)
    target = torch.randint(0, 4, (3, 8, 7), generator=generator)
    target[torch.rand(target.shape, generator=generator) < 0.2] = UNKNOWN
    return output.requires_grad_(), target


@pytest.fixture
def masks() -> tuple[Tensor, Tensor]:
    """Scores [3 2 8 7] and overlapping masks of the same shape, of which some are unknown."""
    generator = torch.Generator().manual_seed(1)
    output = 2 * torch.randn(3, 2, 8, 7, generator=generator)
    target = torch.randint(0, 2, output.shape, generator=generator)
    target[torch.rand(target.shape, generator=generator) < 0.2] = UNKNOWN
    return output.requires_grad_(), target


@pytest.fixture
def lecture() -> tuple[Tensor, Tensor]:
    """The lecture's 4x4 example: scores whose sigmoid is the prediction, and the target."""
    rows = [[0.01, 0.03, 0.02, 0.02], [0.05, 0.12, 0.09, 0.07], [0.89, 0.85, 0.88, 0.91], [0.99, 0.97, 0.95, 0.97]]
    target = torch.tensor([[0] * 4, [0] * 4, [1] * 4, [1] * 4])
    return torch.logit(torch.tensor(rows))[None, None], target[None]


@pytest.fixture
def depths() -> tuple[Tensor, Tensor]:
    """Log-depths [3 1 9 7], predicted and true; NaN where unknown, more so in the first image."""
    generator = torch.Generator().manual_seed(2)
    output = torch.randn(3, 1, 9, 7, generator=generator)
    target = torch.randn(output.shape, generator=generator)
    target[torch.rand(target.shape, generator=generator) < torch.tensor([0.6, 0.2, 0.1]).view(3, 1, 1, 1)] = torch.nan
    return output.requires_grad_(), target
