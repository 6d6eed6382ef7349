"""Cross entropy of a yes or no in every channel: one class against the rest, or masks that overlap."""

from jaxtyping import Float, Integer
from torch import Tensor, nn

from src.loss.nll import check_choice, known_count, reduced, sigmoid_nll
from src.loss.stream import stream
from src.loss.target import matched, yes_and_known


class BinaryCrossEntropy(nn.Module):
    """-log p of yes or no for each known pixel and channel.

    A target [b h w] of classes asks each channel "this class or another?"; with one channel, class 1 is the yes.

    Args:
        reduction: `mean` over the known pixels of all channels, or their `sum`.

    Raises:
        ValueError: an unknown reduction.
    """

    prices = ("semantic",)

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        check_choice("reduction", reduction, ("mean", "sum"))
        self.reduction = reduction

    def forward(self, output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b ..."]) -> Float[Tensor, ""]:
        """The loss in nats; 0 where nothing is known. Raises ValueError for a target that does not fit."""
        target = matched(output, target)
        total = stream(_rows, output, target, slope=_slope).sum()
        return reduced(total, known_count(output, target), self.reduction)


def _rows(output: Tensor, target: Tensor) -> Tensor:
    return sigmoid_nll(output, target).sum((1, 3))


def _slope(output: Tensor, target: Tensor, gradient: Tensor) -> Tensor:
    yes, known = yes_and_known(output, target)
    return (output.sigmoid() - yes) * (known * gradient[:, None, :, None])
