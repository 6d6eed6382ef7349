import pytest
import torch

from src.loss.total import total


def square(scores, weights):
    return (scores.square() * weights[:, None]).sum(1), 2 * scores * weights[:, None]


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("scores", [1, 3 * 4 * 2, 1000])  # one row, two rows, everything
def test_sum_and_gradient(monkeypatch, scores, memory):
    monkeypatch.setattr("src.loss.stream.CPU_SCORES", scores)
    output, weights = torch.randn(2, 3, 5, 4).to(memory_format=memory).requires_grad_(), torch.randn(2, 5, 4)
    answer, expected = total(square, output, weights), square(output, weights)[0].sum()
    torch.testing.assert_close(answer, expected)
    for _ in range(2):  # made anew for those who ask again
        (slope,) = torch.autograd.grad(3 * answer, output, retain_graph=True)
        torch.testing.assert_close(slope, torch.autograd.grad(3 * expected, output, retain_graph=True)[0])
    assert slope.is_contiguous(memory_format=memory)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_half_loses_nothing_to_the_scale(dtype):
    """A scale that a half cannot hold: 3e-7 / 1.17 is a subnormal in float16, and no bfloat16 is near 1.17."""
    output = torch.tensor([1000.0, 2000.0]).to(dtype).view(1, 2, 1, 1).requires_grad_()
    value = total(lambda scores: (0 * scores[:, 0], torch.full_like(scores, 1.17e3)), output)
    (slope,) = torch.autograd.grad(value * 3e-7, output)
    assert slope.dtype == dtype
    exact = torch.tensor(1.17e3).to(dtype).double() * torch.tensor(3e-7).double()
    torch.testing.assert_close(slope.double(), exact.to(dtype).double().expand_as(slope), rtol=1e-6, atol=0)


def test_no_gradient_where_none_is_asked():
    with torch.no_grad():
        assert not total(square, torch.randn(1, 3, 2, 2, requires_grad=True), torch.ones(1, 2, 2)).requires_grad
