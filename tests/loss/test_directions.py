"""What holds for every loss that compares directions: angle, cosine, angmf."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from src.loss.angle import Angle
from src.loss.angmf import AngMF
from src.loss.cosine import Cosine

LOSSES = {"angle": Angle(), "cosine": Cosine(), "angmf": AngMF()}


@pytest.fixture(params=LOSSES)
def case(request: pytest.FixtureRequest) -> tuple[nn.Module, Tensor, Tensor, Tensor]:
    """A loss, an output, unit targets, and where they are unknown [2 6 5]."""
    loss = LOSSES[request.param]
    draw = torch.Generator().manual_seed(0)
    output = torch.randn(2, getattr(loss, "channels", 3), 6, 5, generator=draw)
    target = F.normalize(torch.randn(2, 3, 6, 5, generator=draw), dim=1)
    target[0, :, :2] = torch.nan
    target[1, 1, 5] = torch.nan  # of a vector with one part unknown nothing is known
    return loss, output.requires_grad_(), target, target.isnan().any(1)


def gradient(loss: nn.Module, output: Tensor, target: Tensor) -> Tensor:
    return torch.autograd.grad(loss(output, target), output)[0]


def test_the_gradient_is_that_of_the_value(case):
    loss, output, target, _ = case
    precise = output.detach().double().requires_grad_()
    assert torch.autograd.gradcheck(lambda output: loss(output, target.double()), precise)


def test_unknown_pixels_have_neither_value_nor_gradient(case):
    loss, output, target, unknown = case
    other = output.detach().clone()
    other.movedim(1, 0)[:, unknown] = torch.nan
    torch.testing.assert_close(loss(other, target), loss(output, target))
    slope = gradient(loss, other.requires_grad_(), target).movedim(1, 0)
    assert (slope[:, unknown] == 0).all()
    assert (slope[:, ~unknown].abs().amax(0) > 0).all()


def test_nothing_known_costs_nothing_and_has_a_gradient(case):
    loss, output, target, _ = case
    target[:] = torch.nan
    assert loss(output, target) == 0
    assert (gradient(loss, output, target) == 0).all()


def test_the_length_of_a_direction_does_not_matter(case):
    loss, output, target, _ = case
    longer = torch.cat([5 * output[:, :3], output[:, 3:]], 1)
    torch.testing.assert_close(loss(longer, target), loss(output, target))


@pytest.mark.parametrize("towards", [1, -1, 0])
def test_finite_where_an_arccos_is_not(case, towards):
    loss, output, target, unknown = case
    exact = torch.cat([towards * target, output[:, 3:].detach()], 1).nan_to_num(1).requires_grad_()
    value, slope = loss(exact, target), gradient(loss, exact, target)
    assert value.isfinite()
    assert slope.isfinite().all()
    assert slope.abs().max() * (~unknown).sum() <= 11 * AngMF().kappa(exact.max())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_computed_in_single_precision(case, dtype):
    loss, output, target, _ = case
    half = output.detach().to(dtype).requires_grad_()
    value = loss(half, target)
    assert value.dtype == torch.float32
    assert value == loss(half.float(), target)
    assert gradient(loss, half, target).dtype == dtype


def test_parts_make_the_whole(case):
    loss, output, target, unknown = case
    counts = (~unknown).flatten(1).sum(1)
    parts = torch.stack([loss(output[i : i + 1], target[i : i + 1]) for i in range(2)])
    torch.testing.assert_close((parts * counts).sum() / counts.sum(), loss(output, target))


def test_a_target_of_another_shape_is_refused(case):
    loss, output, target, _ = case
    with pytest.raises(ValueError, match=r"must be \(2, 3, 6, 5\)"):
        loss(output, target[..., :4])


def test_values_at_known_angles():
    turns = torch.tensor([0.0, 30, 90, 180]).deg2rad()
    target = torch.stack([turns.sin(), torch.zeros(4), -turns.cos()], 1)[..., None, None]
    output = torch.tensor([0.0, 0, -2]).view(1, 3, 1, 1).expand(4, -1, -1, -1)
    assert float(Angle()(output, target)) == pytest.approx(math.radians((0 + 30 + 90 + 180) / 4))
    assert float(Cosine()(output, target)) == pytest.approx((0 + 1 - math.sqrt(0.75) + 1 + 2) / 4)


def test_an_angle_pulls_equally_hard_at_any_size():
    turns = torch.tensor([0.01, 1.0, 3.0])
    target = torch.stack([turns.sin(), torch.zeros(3), -turns.cos()], 1)[..., None, None]
    output = torch.tensor([0.0, 0, -1]).view(1, 3, 1, 1).repeat(3, 1, 1, 1).requires_grad_()
    lengths = 3 * gradient(Angle(), output, target).norm(dim=1).flatten()
    torch.testing.assert_close(lengths, torch.ones(3))
