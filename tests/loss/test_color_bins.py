import pickle

import pytest
import torch
from torch import Tensor

from src.data.gamut import bins, code, encoding, smoothed
from src.data.lab import lab
from src.loss.color_bins import ColorBins

RED, BLUE = (50.0, 40.0), (20.0, -50.0)


@pytest.fixture
def case() -> tuple[Tensor, Tensor]:
    """Scores [2 313 3 5], and colours of noise, of which every pixel has another."""
    draw = torch.Generator().manual_seed(0)
    ab = lab(torch.rand(2, 3, 3, 5, generator=draw))[:, 1:]
    return 2 * torch.randn(2, 313, 3, 5, generator=draw), ab


def filled(*colors: tuple[float, float]) -> Tensor:
    """[1 2 1 n], a colour per pixel."""
    return torch.tensor(colors).T[None, :, None]


def counted(counts: dict[tuple[float, float], int]) -> Tensor:
    pixels = torch.zeros(256 * 256, dtype=torch.int64)
    for color, count in counts.items():
        pixels[code(filled(color))] = count
    return pixels


def dense(output: Tensor, ab: Tensor, weight: Tensor) -> Tensor:
    """By definition, with a share for each of the 313 bins."""
    index, share = (table[code(ab)].movedim(-1, 1) for table in encoding())
    q = torch.zeros_like(output).scatter_(1, index, share.to(output))
    nll = -(q * output.log_softmax(1)).sum(1)
    return (nll * weight.to(output)[bins(ab)]).mean()


@pytest.mark.parametrize("rebalance", [True, False])
def test_value_and_gradient_are_those_of_the_dense_product(case, rebalance):
    output, ab = case[0].double().requires_grad_(), case[1]
    loss = ColorBins(rebalance=rebalance)
    loss.calibrate_colors(torch.bincount(code(ab).flatten(), minlength=256 * 256))
    value, expected = loss(output, ab), dense(output, ab, loss.weight)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(*(torch.autograd.grad(price, output)[0] for price in (value, expected)))
    assert (loss.weight == 1).all() != rebalance


def test_weights_follow_the_paper_and_are_1_on_average():
    pixels = counted({RED: 1000, BLUE: 10})
    loss = ColorBins()
    loss.calibrate_colors(pixels)
    share = smoothed(pixels)
    assert (share * loss.weight).sum().item() == pytest.approx(1, abs=1e-5)
    inverse = 1 / (0.5 * share + 0.5 / 313)
    torch.testing.assert_close(loss.weight / loss.weight.max(), inverse / inverse.max())
    weights = {color: loss.weight[bins(filled(color))].item() for color in (RED, BLUE, (-60.0, 60.0))}
    assert weights[RED] < 1 < weights[BLUE] < weights[-60.0, 60.0]


def test_a_pixel_weighs_what_its_nearest_bin_does(case):
    output, _ = case
    loss = ColorBins()
    loss.calibrate_colors(counted({RED: 1000, BLUE: 10}))
    output = output[:1, :, :1, :1]
    for color in (RED, BLUE, (51.0, 44.0)):
        plain = ColorBins(rebalance=False)(output, filled(color))
        weight = loss.weight[bins(filled(color))].item()
        assert loss(output, filled(color)).item() == pytest.approx(plain.item() * weight, rel=1e-4)


def test_grey_images_count_nothing(case):
    output, ab = case[0].requires_grad_(), case[1].clone()
    loss = ColorBins(rebalance=False)
    ab[0] = ab[0].clamp(-5, 5)
    alone = loss(output[1:], ab[1:])
    torch.testing.assert_close(loss(output, ab), alone)
    slope = torch.autograd.grad(loss(output, ab), output)[0]
    assert (slope[0] == 0).all()
    assert slope[1].abs().max() > 0
    assert loss.total_weight(ab) == 15
    ab[1] = 3
    value = loss(output, ab)
    assert value == 0
    assert (torch.autograd.grad(value, output)[0] == 0).all()
    ab[1, 0, 0, 0] = 5.01  # one coloured pixel makes a coloured image
    assert loss.total_weight(ab) == 15


def test_the_best_output_is_the_encoding_itself(case):
    _, ab = case
    index, share = (table[code(ab)].movedim(-1, 1) for table in encoding())
    best = torch.full((2, 313, 3, 5), -30.0).scatter_(1, index, share.log())
    loss, entropy = ColorBins(rebalance=False), -(share * share.log()).sum(1).mean()
    torch.testing.assert_close(loss(best, ab), entropy)
    assert loss(best + torch.randn(best.shape, generator=torch.Generator().manual_seed(0)), ab) > entropy


def test_more_neighbours_and_a_wider_gaussian_are_softer():
    color, flat = filled((33.0, 44.0)), torch.zeros(1, 313, 1, 1)
    flat[0, bins(color).item()] = 5  # sure of the nearest
    prices = [ColorBins(False, neighbours=k, sigma=s)(flat, color) for k, s in ((1, 5.0), (5, 5.0), (10, 20.0))]
    assert prices[0] < prices[1] < prices[2]


def test_uniform_1_is_no_weight():
    loss = ColorBins(uniform=1)
    loss.calibrate_colors(counted({RED: 1000, BLUE: 10}))
    torch.testing.assert_close(loss.weight, torch.ones(313))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_agrees_with_single(case, dtype):
    half = case[0].to(dtype).requires_grad_()
    single = half.detach().float().requires_grad_()
    loss = ColorBins(rebalance=False)
    torch.testing.assert_close(loss(half, case[1]), loss(single, case[1]))
    slope = torch.autograd.grad(loss(half, case[1]), half)[0]
    assert slope.dtype == dtype
    torch.testing.assert_close(
        slope.float(), torch.autograd.grad(loss(single, case[1]), single)[0], rtol=0.01, atol=1e-4
    )


def test_weights_are_asked_for_and_kept(case):
    loss = ColorBins()
    with pytest.raises(ValueError, match=r"loss\.rebalance=false"):
        loss(*case)
    loss.calibrate_colors(counted({RED: 1000, BLUE: 10}))
    state = loss.state_dict()
    assert list(state) == ["weight"]  # the lookup can be made again
    again = pickle.loads(pickle.dumps(loss))
    assert again(*case) == loss(*case)
    other = ColorBins()
    other.load_state_dict(state)
    assert other(*case) == loss(*case)


@pytest.mark.parametrize(
    "options", [{"uniform": 0.0}, {"uniform": 1.5}, {"neighbours": 0}, {"neighbours": 314}, {"sigma": 0.0}]
)
def test_arguments_out_of_range_are_named(options):
    with pytest.raises(ValueError, match=f"loss.{next(iter(options))}="):
        ColorBins(**options)
