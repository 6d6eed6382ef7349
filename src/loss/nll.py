"""Negative log likelihoods, pixel by pixel, and how they become one number."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Integer
from torch import Tensor

from src.data.description import UNKNOWN
from src.loss.ranks import across_ranks
from src.loss.target import class_index, yes_and_known

EMPTY = 1e-12  # a sum of weights this small means that nothing was there: 0 / EMPTY is 0


def softmax_nll(
    output: Float[Tensor, "b k h w"],
    target: Integer[Tensor, "b h w"],
    weight: Float[Tensor, " k"] | None = None,
    smoothing: float = 0.0,
) -> tuple[Float[Tensor, "b h w"], Float[Tensor, "b k h w"]]:
    """-log p of each pixel's class, times the weight of that class, and its gradient by the pixel's scores, p - truth.

    Both are 0 where the class is unknown. With `smoothing` the truth is 1 - smoothing on the class plus `smoothing`
    spread evenly over all k.
    """
    index = class_index(target, output.shape[1])
    p = output - output.amax(1, keepdim=True)
    score, mean = p.gather(1, index), p.mean(1, keepdim=True) if smoothing else 0
    size = p.exp_().sum(1, keepdim=True)
    nll = size.log() - (1 - smoothing) * score - smoothing * mean
    slope = p.div_(size).scatter_add_(1, index, p.new_full((), smoothing - 1).expand_as(index))
    if smoothing:
        slope -= smoothing / output.shape[1]
    worth = (target != UNKNOWN)[:, None].to(p)
    if weight is not None:
        worth *= weight.to(p).gather(0, index.flatten()).view_as(index)
    return (nll * worth)[:, 0], slope.mul_(worth)


def sigmoid_nll(
    output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b h w"] | Integer[Tensor, "b k h w"]
) -> Float[Tensor, "b k h w"]:
    """-log p of the yes or no in each channel; 0 where it is unknown."""
    yes, known = yes_and_known(output, target)
    return F.softplus(output * (1 - 2 * yes)) * known


def known_count(output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b ..."]) -> Integer[Tensor, ""]:
    """How many channels of how many pixels are known; for a target [b h w] that is k for each known pixel."""
    known = torch.stack([(image != UNKNOWN).sum() for image in target]).sum()
    return known if target.ndim == output.ndim else known * output.shape[1]


def reduced(total: Float[Tensor, ""], weight: Float[Tensor, ""] | Integer[Tensor, ""], reduction: str) -> Tensor:
    """The total over all processes; divided by their total weight, unless `reduction=sum`."""
    total, weight = across_ranks(torch.stack([total, weight.to(total.dtype)]))
    return total if reduction == "sum" else total / weight.clamp_min(EMPTY)


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a word that is none of the choices, with a ValueError that lists them."""
    if value not in choices:
        raise ValueError(f"loss.{name}={value} is none of {', '.join(choices)}")
