"""Losses of float fields: what they ask of their target, and what their means divide by."""

from collections.abc import Callable
from functools import partial
from math import inf

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from src.loss.nll import reduced
from src.loss.total import total


def paired(output: Float[Tensor, "b c h w"], target: Float[Tensor, "b ..."]) -> Float[Tensor, "b c h w"]:
    """The target, whose unknown values are NaN, if it fits the output.

    Raises:
        ValueError: the shapes differ, and would be broadcast.
    """
    if target.shape != output.shape:
        raise ValueError(
            f"the target has shape {tuple(target.shape)}, the output {tuple(output.shape)}: a loss of a float field "
            "compares value with value, so give both one shape"
        )
    return target


def weight(target: Float[Tensor, "b c h w"], per: str = "batch") -> Integer[Tensor, ""]:
    """What a mean divides by: the known values of the batch, or, per `sample`, the images that have any."""
    known = counts(target)
    return known.sum() if per == "batch" else (known > 0).sum()


def counts(target: Float[Tensor, "b c h w"]) -> Integer[Tensor, " b"]:
    """How many values of each image are known; one at a time, since to sum bools torch makes eight bytes of each."""
    return torch.stack([(image == image).sum() for image in target])  # NaN is not itself


def mean(
    function: Callable[[Tensor], tuple[Tensor, Tensor]],
    output: Float[Tensor, "b c h w"],
    target: Float[Tensor, "b ..."],
) -> Float[Tensor, ""]:
    """The mean over the known values, those of all processes, of a function of the error; 0 where nothing is known.

    Args:
        function: of output - target, which is 0 where the target is unknown; answers with a price per value, 0 for
            an error of 0, and with its slope there.

    Raises:
        ValueError: the shapes differ.
    """
    target = paired(output, target)
    return reduced(total(partial(_rows, function), output, target), weight(target), "mean")


def _rows(function: Callable[[Tensor], tuple[Tensor, Tensor]], output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    value, slope = function(zeroed(output - target))
    return value.sum() + fault(output), slope


def zeroed(values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The values, in place, with 0 for NaN: a difference from an unknown target. Many times quicker than a mask."""
    return values.nan_to_num_(0, inf, -inf)


def fault(output: Float[Tensor, "..."]) -> Float[Tensor, ""]:
    """0, or NaN where the output is not finite, to be added to what `zeroed` would hide that from."""
    return 0 * output.sum()
