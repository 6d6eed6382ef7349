"""The sum over all pixels of a function of their scores, its gradient made in the same pass."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from src.loss.stream import cut, pieces


@torch.compiler.disable
def total(
    function: Callable[..., tuple[Tensor, Tensor]],
    output: Float[Tensor, "b k h w"],
    *beside: Shaped[Tensor, "b ... h _"],
) -> Float[Tensor, ""]:
    """Σ of what `function(output, *beside)` answers, computed on a few rows of one image at a time, as `stream` does.

    The function answers with a value per pixel [1 r w] and with the gradient of their sum by the rows of the output
    [1 k r w]. What an exponential costs is so paid once and not again by the backward, which scales that gradient where
    it lies, in the output's own type: the peak is the output and one copy.
    """
    return _Total.apply(function, output.requires_grad and torch.is_grad_enabled(), output, *beside)


class _Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx, function: Callable[..., Any], wanted: bool, output: Tensor, *beside: Tensor) -> Tensor:
        ctx.function = function
        ctx.save_for_backward(output, *beside)
        value, ctx.slope = _pass(function, wanted, output, *beside)
        return value

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        output, *beside = ctx.saved_tensors
        slope, ctx.slope = ctx.slope, None
        if slope is None:  # it is asked for again, and the first was given away
            _, slope = _pass(ctx.function, True, output, *beside)
        for image, rows in pieces(slope):  # in the gradient's own precision, which a half lacks
            slope[image, :, rows] = slope[image, :, rows].to(gradient.dtype) * gradient
        return None, None, slope, *(None for _ in beside)


def _pass(function: Callable[..., Any], wanted: bool, output: Tensor, *beside: Tensor) -> tuple[Tensor, Tensor | None]:
    """The sum, and its gradient if it is wanted."""
    slope = torch.empty_like(output) if wanted else None
    sums = []
    for image, rows in pieces(output):
        value, part = function(*cut((image, rows), output, *beside))
        sums.append(value.sum())
        if slope is not None:
            slope[image, :, rows] = part.to(slope.dtype)  # turning the planes is quicker in the narrower type
    return torch.stack(sums).sum(), slope
