"""What the losses of directions have in common: how two unit vectors compare, and the mean over the known pixels."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from src.data.direction import apart
from src.loss.nll import reduced
from src.loss.total import total

# Less than this counts as this, so that what is divided by it stays finite.
_LENGTH = 0.1  # of an output; a task's are of length 1
_SINE = 1e-6


class Pair(NamedTuple):
    """How a target lies to an output."""

    cosine: Float[Tensor, "b 1 h w"]
    sine: Float[Tensor, "b 1 h w"]  # at least 0
    turn: Float[Tensor, "b 3 h w"]  # towards the target, across the output: -∂θ/∂output, and 0 where they are parallel


def compared(output: Float[Tensor, "b 3 h w"], target: Float[Tensor, "b 3 h w"]) -> Pair:
    """Vectors of any length, but a tenth at least, beside unit ones."""
    length = output.norm(dim=1, keepdim=True).clamp_min(_LENGTH)
    cosine, across = apart(output / length, target)
    sine = across.norm(dim=1, keepdim=True)
    return Pair(cosine, sine, across / (sine.clamp_min(_SINE) * length))


def mean_of_known(
    function: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
    output: Float[Tensor, "b k h w"],
    target: Float[Tensor, "b c i j"],
) -> Float[Tensor, ""]:
    """The mean over the pixels, of all processes, whose target has no NaN; 0 with gradient 0 where nothing is known.

    Args:
        function: output and target in single precision at least -> a value per pixel [b 1 h w], and the gradient of
            their sum by the output [b k h w].
        output: k channels, of which the first three lie beside the target's.
        target: NaN unknown.

    Raises:
        ValueError: the target has another size than the output, or other than three channels.
    """
    wanted = (len(output), 3, *output.shape[2:])
    if target.shape != wanted:
        raise ValueError(
            f"the target has shape {tuple(target.shape)}, the output {tuple(output.shape)}: a target of directions "
            f"must be {wanted}"
        )
    known = torch.stack([(~image.isnan().any(0)).sum() for image in target]).sum()
    return reduced(total(partial(_known, function), output, target), known, "mean")


def _known(function: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]], output: Tensor, target: Tensor) -> tuple:
    """The function's two answers, both 0 where the target is unknown."""
    unknown = target.isnan().any(1, keepdim=True)
    value, slope = function(output, target.to(output.dtype).masked_fill(unknown, 0))
    return value.masked_fill(unknown, 0)[:, 0], slope.masked_fill_(unknown, 0)
