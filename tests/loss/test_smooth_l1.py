import pytest
import torch
from torch.nn import functional as F

from src.loss.smooth_l1 import SmoothL1


def test_it_is_quadratic_near_and_linear_far():
    output = torch.tensor([[0.0, 0.0], [0.05, 1.0]]).view(1, 2, 1, 2)
    ab = torch.zeros(1, 2, 1, 2)
    ab[0, 0, 0, 1] = 55  # half of 110
    expected = [0.0, 0.5 - 0.05, 0.05**2 / 2 / 0.1, 1 - 0.05]
    assert SmoothL1()(output, ab).item() == pytest.approx(sum(expected) / 4)


def test_beta_0_is_the_mean_distance():
    draw = torch.Generator().manual_seed(0)
    output, ab = torch.randn(2, 2, 3, 4, generator=draw), 30 * torch.randn(2, 2, 3, 4, generator=draw)
    assert SmoothL1(beta=0.0)(output, ab).item() == pytest.approx((output - ab / 110).abs().mean().item(), rel=1e-5)


def test_half_precision_is_summed_in_single():
    output, ab = torch.full((1, 2, 300, 300), 0.5, dtype=torch.bfloat16), torch.zeros(1, 2, 300, 300)
    assert SmoothL1()(output, ab).item() == pytest.approx(0.45)


@pytest.mark.parametrize("beta", [0.0, 0.1, 1.0])
def test_the_gradient_is_torchs(beta):
    draw = torch.Generator().manual_seed(0)
    output = torch.randn(2, 2, 3, 4, generator=draw, requires_grad=True)
    ab = 60 * torch.randn(2, 2, 3, 4, generator=draw)
    prices = SmoothL1(beta)(output, ab), F.smooth_l1_loss(output, ab / 110, beta=beta)
    torch.testing.assert_close(*prices)
    torch.testing.assert_close(*(torch.autograd.grad(price, output)[0] for price in prices))


def test_a_negative_beta_is_refused():
    with pytest.raises(ValueError, match=r"loss\.beta=-1"):
        SmoothL1(beta=-1.0)
