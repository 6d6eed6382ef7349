"""Focal loss (Lin et al., 2017): cross entropy that fades where the answer is already good."""

from functools import partial

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

from src.data.description import UNKNOWN
from src.loss.nll import EMPTY, check_choice, known_count, reduced, sigmoid_nll, softmax_nll
from src.loss.stream import stream
from src.loss.target import matched, yes_and_known
from src.loss.total import total


class Focal(nn.Module):
    """-(1 - p)^gamma log p of each known pixel's class, or of each channel's yes or no where masks overlap.

    Args:
        gamma: how fast it fades; 0 is cross entropy.
        alpha: the weight of a yes in a channel, 1 - alpha being that of a no (0.25 in the paper); null weighs both
            by 1, and is the only choice where each pixel has one class.
        reduction: `mean` over what is known, or the `sum`.

    Raises:
        ValueError: an unknown reduction, a negative gamma, or an alpha outside [0, 1].
    """

    prices = ("semantic",)

    def __init__(self, gamma: float = 2.0, alpha: float | None = None, reduction: str = "mean") -> None:
        super().__init__()
        check_choice("reduction", reduction, ("mean", "sum"))
        if gamma < 0:
            raise ValueError(f"loss.gamma={gamma} must be 0 or more")
        if alpha is not None and not 0 <= alpha <= 1:
            raise ValueError(f"loss.alpha={alpha} must lie between 0 and 1, or be null")
        self.gamma = gamma
        self.alpha = alpha
        self.reduction = reduction

    def forward(self, output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b ..."]) -> Float[Tensor, ""]:
        """The loss; 0 where nothing is known.

        Raises:
            ValueError: the target does not fit, or there is an alpha and no channel says yes or no.
        """
        target = matched(output, target)
        if target.ndim == output.ndim:
            rows = partial(_sigmoid_rows, gamma=self.gamma, alpha=self.alpha)
            return reduced(stream(rows, output, target).sum(), known_count(output, target), self.reduction)
        if self.alpha is not None:
            raise ValueError(
                f"loss.alpha={self.alpha} weighs a yes against a no, but each pixel has one of {output.shape[1]} "
                "classes here: set loss.alpha=null"
            )
        rows = partial(_softmax_rows, gamma=self.gamma)
        return reduced(total(rows, output, target), (target != UNKNOWN).sum(), self.reduction)


def _softmax_rows(output: Tensor, target: Tensor, gamma: float) -> tuple[Tensor, Tensor]:
    nll, slope = softmax_nll(output, target)
    rest = -torch.expm1(-nll)  # 1 - p
    base = rest.clamp_min(EMPTY)
    power = base**gamma
    fade = power * (1 + gamma * (1 - rest) * nll / base)  # by hand: an evaluation has no autograd at all
    return power * nll, slope.mul_(fade[:, None])


def _sigmoid_rows(output: Tensor, target: Tensor, gamma: float, alpha: float | None) -> Tensor:
    loss = _faded(sigmoid_nll(output, target), gamma)
    if alpha is not None:
        loss = loss * (1 - alpha + (2 * alpha - 1) * yes_and_known(output, target)[0])
    return loss.sum((1, 3))


def _faded(nll: Tensor, gamma: float) -> Tensor:
    # 1 - p without cancellation; never 0, whose power below 1 has an infinite slope
    return (-torch.expm1(-nll)).clamp_min(EMPTY) ** gamma * nll
