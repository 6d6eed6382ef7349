"""Cross entropy of the softmax (as in Long et al., 2015), with label smoothing (Szegedy et al., 2016) on request."""

from functools import partial

from jaxtyping import Float, Integer
from torch import Tensor, nn

from src.data.description import UNKNOWN
from src.loss.nll import check_choice, reduced, softmax_nll
from src.loss.target import exclusive
from src.loss.total import total


class CrossEntropy(nn.Module):
    """-log p of each known pixel's class.

    Args:
        reduction: `mean` over the known pixels, `weighted_mean` over their weights (all 1 here, so the same; see
            `WeightedCrossEntropy`), or their `sum`, which FCN was trained with at a learning rate of 1e-10.
        label_smoothing: the share of the truth that is spread evenly over all classes.

    Raises:
        ValueError: an unknown reduction, or a smoothing outside [0, 1).
    """

    prices = ("semantic",)

    def __init__(self, reduction: str = "mean", label_smoothing: float = 0.0) -> None:
        super().__init__()
        check_choice("reduction", reduction, ("mean", "weighted_mean", "sum"))
        if not 0 <= label_smoothing < 1:
            raise ValueError(f"loss.label_smoothing={label_smoothing} is a share: it must be at least 0 and below 1")
        self.reduction = reduction
        self.label_smoothing = label_smoothing

    def forward(self, output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b ..."]) -> Float[Tensor, ""]:
        """The loss in nats; 0 where nothing is known. Raises ValueError for overlapping masks."""
        target = exclusive(output, target, "cross_entropy")
        rows = partial(softmax_nll, smoothing=self.label_smoothing)
        return reduced(total(rows, output, target), (target != UNKNOWN).sum(), self.reduction)
