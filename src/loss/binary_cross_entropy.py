"""Cross entropy of a yes or no in every channel: one class against the rest, or masks that overlap."""

from jaxtyping import Float, Integer
from torch import Tensor, nn

from src.loss.nll import check_choice, reduced, row_sums, sigmoid_nll
from src.loss.stream import stream
from src.loss.target import matched


class BinaryCrossEntropy(nn.Module):
    """-log p of yes or no for each known pixel and channel.

    A target [b h w] of classes asks each channel "this class or another?"; with one channel, class 1 is the yes.

    Args:
        reduction: `mean` over the known pixels of all channels, or their `sum`.

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        check_choice("reduction", reduction, ("mean", "sum"))
        self.reduction = reduction

    def forward(self, output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b ..."]) -> Float[Tensor, ""]:
        """The loss in nats; 0 where nothing is known. Raises ValueError for a target that does not fit."""
        return reduced(stream(_rows, output, matched(output, target)), self.reduction)


def _rows(output: Tensor, target: Tensor) -> Tensor:
    return row_sums(*sigmoid_nll(output, target))
