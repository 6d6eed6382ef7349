"""What holds for every loss that prices depth."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from src.loss.berhu import Berhu
from src.loss.eigen_fergus import EigenFergus
from src.loss.gradient import Gradient
from src.loss.l1 import L1
from src.loss.l2 import L2
from src.loss.silog import Silog
from src.run.build import build, plain
from src.run.cli import compose
from src.run.combination.price import options

LOSSES = {name: build(plain(compose("train", ["task=depth", f"loss={name}"]))["loss"]) for name in options("depth")} | {
    "gradient, per sample": Gradient(per="sample"),
    "gradient, squared": Gradient(2, squared=True),
    "silog, per sample": Silog(per="sample"),
    "silog, no root": Silog(0.5, root=False),
    "eigen_fergus, per batch": EigenFergus(per="batch"),
}


@pytest.fixture(params=LOSSES)
def loss(request) -> nn.Module:
    return LOSSES[request.param]


def gradient(loss: nn.Module, output: Tensor, target: Tensor) -> Tensor:
    return torch.autograd.grad(loss(output, target), output)[0]


def test_the_issues_losses_are_there():
    assert {"silog", "berhu", "l1", "l2", "gradient", "eigen_fergus", "l1_gradient", "silog_gradient"} <= set(LOSSES)


def test_unknown_values_have_no_gradient_and_do_not_matter(loss, depths):
    output, target = depths
    unknown = target.isnan()
    slope = gradient(loss, output, target)
    assert (slope[unknown] == 0).all()
    assert slope[~unknown].abs().max() > 0
    other = torch.where(unknown, 1e4, output)
    torch.testing.assert_close(loss(other, target), loss(output, target), rtol=1e-6, atol=0)


@pytest.mark.parametrize("images", [1, 3])
def test_nothing_known_is_0_with_a_gradient_of_0(loss, depths, images):
    output, target = depths
    target[:images] = torch.nan
    value, slope = loss(output, target), gradient(loss, output, target)
    assert value.isfinite()
    assert slope.isfinite().all()
    assert (slope[:images] == 0).all()
    assert images == 1 or value == 0


def test_a_perfect_output_costs_nothing_and_has_no_slope(loss, depths):
    _, target = depths
    perfect = target.nan_to_num(7.0).requires_grad_()
    assert loss(perfect, target) == 0
    assert (gradient(loss, perfect, target) == 0).all()


def test_the_gradient_is_that_of_the_value(loss, depths):
    output, target = depths
    if any(isinstance(part, Berhu) for part in loss.modules()):
        pytest.skip("where it bends counts as constant; see test_berhu")
    torch.autograd.gradcheck(lambda one: loss(one, target.double()), output.detach().double().requires_grad_())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single(loss, depths, dtype):
    output, target = depths
    half = output.detach().to(dtype).requires_grad_()
    single = half.detach().float().requires_grad_()
    value = loss(half, target)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, loss(single, target))
    slope = gradient(loss, half, target)
    assert slope.dtype == dtype
    torch.testing.assert_close(slope.float(), gradient(loss, single, target), rtol=0.02, atol=1e-5)


def test_far_off_in_half_precision_is_finite(loss, depths):
    output, target = depths
    far = (1e3 * output.detach().sign()).half().requires_grad_()
    assert loss(far, target).isfinite()
    assert gradient(loss, far, target).isfinite().all()


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_an_output_that_is_no_number_is_not_hidden(loss, depths, broken):
    output, target = depths
    output = output.detach().clone()
    output[1, 0, 4, 4], target[1, 0, 4, 4] = broken, 1.0
    assert not loss(output, target).isfinite()


def test_the_same_in_pieces_and_in_any_memory_format(loss, depths, monkeypatch):
    output, target = depths
    value, slope = loss(output, target), gradient(loss, output, target)
    monkeypatch.setattr("src.loss.stream.CPU_SCORES", 7 * 4)  # 4 rows, 4 and 1
    last = output.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
    torch.testing.assert_close(loss(last, target), value)
    torch.testing.assert_close(gradient(loss, last, target), slope)


def test_shapes_that_would_be_broadcast_are_refused(loss, depths):
    output, target = depths
    with pytest.raises(ValueError, match=r"shape \(3, 9, 7\), the output \(3, 1, 9, 7\)"):
        loss(output, target[:, 0])


def test_parts_weighted_by_what_they_divide_by_make_the_whole(depths):
    output, target = depths
    for loss in (L1(), L2(), Gradient(), *(kind(per="sample") for kind in (Gradient, Silog, EigenFergus))):
        weights = [
            loss.total_weight(part) if hasattr(loss, "total_weight") else (~part.isnan()).sum()
            for part in (target[:1], target[1:])
        ]
        parts = [loss(output[:1], target[:1]), loss(output[1:], target[1:])]
        whole = sum(weight * part for weight, part in zip(weights, parts, strict=True)) / sum(weights)
        torch.testing.assert_close(loss(output, target), whole, rtol=1e-6, atol=0)


def test_l1_and_l2_are_means_over_the_known_values(depths):
    output, target = (tensor.detach().double().numpy() for tensor in depths)
    known = ~np.isnan(target)
    error = (output - target)[known]
    assert L1()(*depths).item() == pytest.approx(np.abs(error).mean(), rel=1e-6)
    assert L2()(*depths).item() == pytest.approx((error**2).mean(), rel=1e-6)


def test_fields_of_several_channels_are_compared_value_by_value():
    output, target = torch.zeros(1, 2, 1, 2), torch.tensor([1.0, torch.nan, 3.0, 5.0]).view(1, 2, 1, 2)
    assert L1()(output, target) == 3
    assert L2()(output, target) == pytest.approx(35 / 3)


def test_only_logs_are_marked_as_such():
    marked = {name for name, loss in LOSSES.items() if any(hasattr(part, "measure") for part in loss.modules())}
    assert marked == {name for name in LOSSES if "silog" in name or "eigen" in name}


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (Silog, {"invariance": 1.5}, r"loss.invariance=1.5 .* \[0, 1\]"),
        (Silog, {"per": "image"}, "loss.per=image is none of batch, sample"),
        (Gradient, {"scales": 0}, "loss.scales=0: at least 1"),
        (Gradient, {"per": "image"}, "loss.per=image is none of batch, sample"),
        (Berhu, {"threshold": -0.1}, r"loss.threshold=-0.1 .* \[0, 1\]"),
        (EigenFergus, {"gradient": -1.0}, "loss.gradient=-1.0 is a weight"),
    ],
)
def test_arguments_out_of_range_are_named(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        kind(**arguments)
