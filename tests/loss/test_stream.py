import pytest
import torch

from src.loss.stream import stream


def square(scores, weights):
    return (scores.square() * weights[:, None]).sum(1)


def test_rows_come_back_in_order_with_their_gradient(monkeypatch):
    output, weights = torch.randn(2, 3, 5, 4, requires_grad=True), torch.randn(2, 5, 4)
    expected = square(output, weights)
    upstream = torch.randn_like(expected)
    (gradient,) = torch.autograd.grad(expected, output, upstream)
    for scores in (1, 3 * 4 * 2, 1000):  # one row, two rows, everything
        monkeypatch.setattr("src.loss.stream.CPU_SCORES", scores)
        answer = stream(square, output, weights)
        torch.testing.assert_close(answer, expected)
        torch.testing.assert_close(torch.autograd.grad(answer, output, upstream)[0], gradient)


def test_only_a_few_rows_are_seen_at_once(monkeypatch):
    seen = []

    def spy(scores, weights):
        seen.append((scores.shape, weights.shape))
        return square(scores, weights)

    monkeypatch.setattr("src.loss.stream.CPU_SCORES", 3 * 4 * 2)
    stream(spy, torch.randn(1, 3, 5, 4), torch.randn(1, 5, 4))
    assert seen == [((1, 3, rows, 4), (1, rows, 4)) for rows in (2, 2, 1)]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_computes_in_single_precision_at_least(dtype):
    output = torch.randn(1, 3, 2, 2, dtype=dtype, requires_grad=True)
    answer = stream(square, output, torch.randn(1, 2, 2))
    assert answer.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    answer.sum().backward()
    assert output.grad.dtype == dtype


def test_a_slope_stands_in_for_the_gradient():
    output, weights = torch.randn(1, 3, 2, 2, requires_grad=True), torch.randn(1, 2, 2)
    answer = stream(square, output, weights, slope=lambda scores, weights, gradient: 7 + 0 * scores)
    answer.sum().backward()
    assert (output.grad == 7).all()
