"""Negative log likelihoods, pixel by pixel, and how they become one number."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Integer, Shaped
from torch import Tensor

from src.data.description import UNKNOWN
from src.loss.ranks import across_ranks

EMPTY = 1e-12  # a sum of weights this small means that nothing was there: 0 / EMPTY is 0


def softmax_nll(
    output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b h w"], smoothing: float = 0.0
) -> tuple[Float[Tensor, "b 1 h w"], Bool[Tensor, "b 1 h w"]]:
    """-log p of each pixel's class, 0 where it is unknown, and where it is known.

    With `smoothing` the truth is 1 - smoothing on the class and the rest spread evenly over all k.
    """
    known, index = known_classes(target)
    log_p = output.log_softmax(1)
    nll = -log_p.gather(1, index)
    if smoothing:
        nll = nll * (1 - smoothing) - log_p.mean(1, keepdim=True) * smoothing
    return nll.masked_fill(~known, 0), known


def sigmoid_nll(
    output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b h w"] | Integer[Tensor, "b k h w"]
) -> tuple[Float[Tensor, "b k h w"], Bool[Tensor, "b k h w"]]:
    """-log p of yes or no in each channel, 0 where it is unknown, and where it is known."""
    target = overlapping(output, target)
    known = target != UNKNOWN
    return F.softplus(torch.where(target == 1, -output, output)).masked_fill(~known, 0), known


def overlapping(
    output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b h w"] | Integer[Tensor, "b k h w"]
) -> Integer[Tensor, "b k h w"]:
    """The target as masks of 0, 1 and 255, a channel per class: meant for a few rows, it is as large as the output."""
    if target.ndim == output.ndim:
        return target
    channel = torch.arange(output.shape[1], device=output.device, dtype=target.dtype)[:, None, None]
    one = target[:, None] == channel
    return one.to(target.dtype).masked_fill(target[:, None] == UNKNOWN, UNKNOWN)


def known_classes(target: Integer[Tensor, "b h w"]) -> tuple[Bool[Tensor, "b 1 h w"], Integer[Tensor, "b 1 h w"]]:
    """Where the class is known, and an index that can be gathered everywhere: class 0 stands in for the unknown."""
    known = target[:, None] != UNKNOWN
    return known, target[:, None].long().masked_fill(~known, 0)


def row_sums(nll: Float[Tensor, "b c h w"], weight: Shaped[Tensor, "b c h w"]) -> Float[Tensor, "b h 2"]:
    """The two sums of each row that `reduced` divides."""
    return torch.stack([nll.sum((1, 3)), weight.sum((1, 3), dtype=nll.dtype)], -1)


def reduced(sums: Float[Tensor, "b h 2"], reduction: str) -> Float[Tensor, ""]:
    """One number from `row_sums`, over all processes: their quotient, or for `reduction=sum` the first alone."""
    total, weight = across_ranks(sums.sum((0, 1)))
    return total if reduction == "sum" else total / weight.clamp_min(EMPTY)


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a word that is none of the choices, with a ValueError that lists them."""
    if value not in choices:
        raise ValueError(f"loss.{name}={value} is none of {', '.join(choices)}")
