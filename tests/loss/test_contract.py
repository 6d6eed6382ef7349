"""What holds for every loss that conf/loss offers."""

import pickle
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig
from torch import Tensor, nn

from src.data.description import UNKNOWN
from tests.narrow import dense

CONF = Path(__file__).resolve().parents[2] / "conf"
NAMES = dense("loss")
SINGLE = {
    "border_cross_entropy",
    "cross_entropy",
    "weighted_cross_entropy",
    "ohem_cross_entropy",
    "cross_entropy_dice",
}  # one class per pixel
CASES = [(name, "index") for name in NAMES] + [(name, "masks") for name in NAMES if name not in SINGLE]
CLASSES = 4


@cache
def composed(name: str) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base=None):
        return compose(f"loss/{name}").loss


def built(name: str) -> nn.Module:
    loss = instantiate(composed(name), _convert_="all")
    for module in loss.modules():
        if hasattr(module, "calibrate"):
            module.calibrate(torch.tensor([10, 20, 30, 40]), torch.tensor([100, 90, 100, 100]))
    return loss


@pytest.fixture(params=CASES, ids=lambda case: "-".join(case))
def case(request: pytest.FixtureRequest) -> Iterator[tuple[nn.Module, Tensor, Tensor, Tensor]]:
    """A loss, an output, a target of its kind, and where the target is unknown [b k h w]."""
    name, kind = request.param
    torch.manual_seed(0)
    output = torch.randn(2, CLASSES, 6, 5, requires_grad=True)
    shape = (2, 6, 5) if kind == "index" else output.shape
    target = torch.randint(0, CLASSES if kind == "index" else 2, shape, dtype=torch.uint8)
    target[..., :2, :] = UNKNOWN
    unknown = (target == UNKNOWN) if kind == "masks" else (target == UNKNOWN)[:, None].expand_as(output)
    return built(name), output, target, unknown


def gradient(loss: nn.Module, output: Tensor, target: Tensor) -> Tensor:
    return torch.autograd.grad(loss(output, target), output)[0]


def test_scalar_with_no_gradient_at_unknown_pixels(case):
    loss, output, target, unknown = case
    value = loss(output, target)
    assert value.shape == ()
    assert value.dtype == torch.float32
    assert value > 0
    slope = gradient(loss, output, target)
    assert (slope[unknown] == 0).all()
    assert slope[~unknown].abs().max() > 0


def test_unknown_pixels_do_not_matter(case):
    loss, output, target, unknown = case
    other = torch.where(unknown, 7 * torch.randn_like(output), output)
    torch.testing.assert_close(loss(other, target), loss(output, target))


def test_int64_targets_give_the_same_as_uint8(case):
    loss, output, target, _ = case
    assert loss(output, target.long()) == loss(output, target)


@pytest.mark.parametrize("images", [1, 2])
def test_all_unknown_is_zero(case, images):
    loss, output, target, _ = case
    target[:images] = UNKNOWN
    value, slope = loss(output, target), gradient(loss, output, target)
    assert value.isfinite()
    assert slope.isfinite().all()
    assert (slope[:images] == 0).all()
    assert images == 1 or value == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_finite_in_half_precision(case, dtype):
    loss, output, target, _ = case
    large = (100 * output.detach().sign()).to(dtype).requires_grad_()
    value, slope = loss(large, target), gradient(loss, large, target)
    assert value.dtype == torch.float32
    assert value.isfinite()
    assert slope.dtype == dtype
    assert slope.isfinite().all()


def test_half_precision_agrees_with_single(case):
    loss, output, target, _ = case
    half = output.detach().bfloat16().requires_grad_()
    single = half.detach().float().requires_grad_()
    torch.testing.assert_close(loss(half, target), loss(single, target))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(loss(single, target), loss(half, target))
    torch.testing.assert_close(gradient(loss, half, target).float(), gradient(loss, single, target), rtol=0.01, atol=0)


def test_descends(case):
    loss, output, target, _ = case
    values = []
    for _ in range(30):
        value = loss(output, target)
        values.append(value.item())
        output = (output - 20 * gradient(loss, output, target)).detach().requires_grad_()
    assert values[-1] < 0.8 * values[0]


def test_perfect_output_is_the_minimum(case):
    loss, _, target, unknown = case
    truth = target if target.ndim == 4 else torch.arange(CLASSES)[:, None, None] == target[:, None]
    perfect = torch.where(unknown | (truth == 1), 30.0, -30.0)
    assert 0 <= loss(perfect, target) < 1e-4
    assert loss(-perfect, target) > 0.9


def test_the_same_in_pieces_and_in_any_memory_format(case, monkeypatch):
    loss, output, target, _ = case
    value, slope = loss(output, target), gradient(loss, output, target)
    monkeypatch.setattr("src.loss.stream.CPU_SCORES", CLASSES * 5 * 4)  # 4 of the 6 rows, then 2
    last = output.detach().contiguous(memory_format=torch.channels_last).requires_grad_()
    torch.testing.assert_close(loss(last, target), value)
    torch.testing.assert_close(gradient(loss, last, target), slope)


def test_gradient_is_that_of_the_value(case):
    loss, output, target, _ = case
    direction = torch.randn(output.shape, dtype=torch.float64)
    precise, step = output.detach().double(), 1e-4
    slope = (gradient(loss, precise.clone().requires_grad_(), target) * direction).sum()
    difference = loss(precise + step * direction, target) - loss(precise - step * direction, target)
    torch.testing.assert_close(difference.double() / (2 * step), slope, rtol=2e-3, atol=2e-4)


def test_repeats_bit_for_bit(case):
    loss, output, target, _ = case
    was = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        (value, slope), (again, repeated) = ((loss(output, target), gradient(loss, output, target)) for _ in range(2))
    finally:
        torch.use_deterministic_algorithms(was)
    assert torch.equal(value, again)
    assert torch.equal(slope, repeated)


def test_may_be_asked_twice_and_adds_up(case):
    loss, output, target, _ = case
    value, slope = loss(output, target), gradient(loss, output, target)
    for times in (1, 2):
        (3 * value).backward(retain_graph=True)
        torch.testing.assert_close(output.grad, 3 * times * slope)


def test_state_survives_a_round_trip(case):
    loss, output, target, _ = case
    again = pickle.loads(pickle.dumps(loss))
    again.load_state_dict(loss.state_dict())
    assert again(output, target) == loss(output, target)


@pytest.mark.skipif(torch.__version__ < "2.12", reason="torch 2.11 cannot trace the shape checks of the tests")
def test_compiles_around(scene):
    loss = built("cross_entropy_dice")
    output, target = scene[0][:, :CLASSES], scene[1]
    compiled = torch.compile(lambda output, target: loss(2 * output, target), backend="eager")
    torch.testing.assert_close(compiled(output, target), loss(2 * output, target))


@pytest.mark.parametrize("name", sorted(SINGLE))
def test_overlapping_masks_are_refused_where_they_make_no_sense(name):
    target = torch.zeros(1, CLASSES, 2, 2, dtype=torch.uint8)
    with pytest.raises(ValueError, match="one class per pixel"):
        built(name)(torch.zeros(1, CLASSES, 2, 2), target)


@pytest.mark.parametrize("name", sorted(set(NAMES) - SINGLE))
def test_one_channel_takes_class_1_as_foreground(name):
    loss, output = built(name), torch.randn(2, 1, 3, 3)
    target = torch.randint(0, 2, (2, 3, 3), dtype=torch.uint8)
    assert loss(output, target) == loss(output, target[:, None])


@pytest.mark.parametrize("name", NAMES)
def test_a_value_that_is_no_class_is_named(name):
    with pytest.raises(ValueError, match="holds 4"):
        built(name)(torch.zeros(1, CLASSES, 2, 2), torch.full((1, 2, 2), 4))


def test_an_evaluation_without_autograd_gives_the_same(case):
    loss, output, target, _ = case
    with torch.inference_mode():
        value = loss(output.detach() * 1, target)  # made in here, as a network's output is
    assert torch.equal(value, loss(output, target))
