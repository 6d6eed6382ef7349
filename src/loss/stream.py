"""A function of every pixel's scores, some rows at a time, so that no copy of the scores is ever made."""

from collections.abc import Callable, Iterator
from functools import partial

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

# Scores in flight: about what stays in the cache of one core, and enough to keep an accelerator busy.
CPU_SCORES = 2**18
DEVICE_SCORES = 2**23


@torch.compiler.disable
def stream(
    function: Callable[..., Tensor],
    output: Float[Tensor, "b k h w"],
    *beside: Shaped[Tensor, "b ... h w"],
    slope: Callable[..., Tensor] | None = None,
) -> Float[Tensor, "b h ..."]:
    """`function(output, *beside)`, computed on a few rows of one image at a time.

    The function gets rows of the output [1 k r w] in single precision at least, the same rows of what lies beside it,
    and answers with a tensor [1 r ...]: whatever it likes for each row. The gradient computes it once more instead of
    keeping what it made, so that the peak is the output, its gradient, and a few rows. A `slope` gives that gradient
    in fewer steps: it gets what the function does and the gradient of its answer.
    """
    return _Stream.apply(function, slope or partial(_slope, function), output, *beside)


class _Stream(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx, function: Callable[..., Tensor], slope: Callable[..., Tensor], output: Tensor, *beside: Tensor
    ) -> Tensor:
        ctx.slope = slope
        ctx.save_for_backward(output, *beside)
        parts = [function(*cut(rows, output, *beside)) for rows in pieces(output)]
        return torch.cat([part.flatten(0, 1) for part in parts]).unflatten(0, (len(output), output.shape[2]))

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor | None, ...]:
        output, *beside = ctx.saved_tensors
        answer = torch.empty_like(output)
        for image, rows in pieces(output):
            slope = ctx.slope(*cut((image, rows), output, *beside), gradient[image, rows])
            answer[image, :, rows] = slope.to(answer.dtype)  # turning the planes is quicker in the narrower type
        return None, None, answer, *(None for _ in beside)


def _slope(function: Callable[..., Tensor], output: Tensor, *others: Tensor) -> Tensor:
    *beside, gradient = others
    with torch.enable_grad():
        scores = output.requires_grad_()
        return torch.autograd.grad(function(scores, *beside), scores, gradient)[0]


def pieces(output: Float[Tensor, "b k h w"]) -> Iterator[tuple[slice, slice]]:
    """Slices of images (one each) and of rows, in the order in which they lie in memory."""
    images, channels, height, width = output.shape
    scores = CPU_SCORES * torch.get_num_threads() if output.device.type == "cpu" else DEVICE_SCORES
    step = max(1, scores // (channels * width))
    for image in range(images):
        for row in range(0, height, step):
            yield slice(image, image + 1), slice(row, row + step)


def cut(piece: tuple[slice, slice], output: Float[Tensor, "b k h w"], *beside: Tensor) -> Iterator[Tensor]:
    """Those rows of the output [1 k r w], in single precision at least, and of each tensor that lies beside it."""
    image, rows = piece
    precise = torch.promote_types(output.dtype, torch.float32)
    scores = output.detach()[image, :, rows]
    # Planes of classes: torch's softmax, sums and gathers are several times slower where classes are neighbours.
    planes = torch.contiguous_format if scores.stride(1) == 1 else torch.preserve_format
    yield scores.to(precise, memory_format=planes)
    for tensor in beside:
        yield tensor[image, ..., rows, :]
