"""How much prediction and truth overlap: the sums that Dice-like losses are made of, and their mean over classes."""

from functools import partial

import torch
from jaxtyping import Float, Integer
from torch import Tensor

from src.data.description import UNKNOWN
from src.loss.nll import EMPTY, check_choice
from src.loss.ranks import across_ranks
from src.loss.stream import stream
from src.loss.target import class_index, matched, yes_and_known


class Overlap:
    """What is summed together, and which classes count.

    Args:
        per: `batch` sums over all images of all processes before it divides, `sample` divides for each image.
        absent: a class without a true pixel is left out of the mean (`exclude`), is counted with loss 0 (`zero`, as
            segmentation-models-pytorch has it), or as the formula has it (`count`, as MONAI): about 1 if a trace of
            it is predicted.
        include_background: whether class 0 counts; with one channel there is only the foreground.

    Raises:
        ValueError: unknown words.
    """

    def __init__(self, per: str, absent: str, include_background: bool) -> None:
        check_choice("per", per, ("batch", "sample"))
        check_choice("absent", absent, ("exclude", "zero", "count"))
        self.per = per
        self.absent = absent
        self.include_background = include_background

    def sums(
        self, output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b ..."], squared: bool = False
    ) -> tuple[Float[Tensor, "s k"], Float[Tensor, "s k"], Float[Tensor, "s k"]]:
        """Σ yŷ, Σ ŷ (or Σ ŷ²) and Σ y over the known pixels, per class, of the batch (s = 1) or of each image.

        Raises:
            ValueError: the target does not fit, or the background of overlapping masks is to be left out.
        """
        if target.ndim == output.ndim and not self.include_background:
            raise ValueError("loss.include_background=false leaves class 0 out, but overlapping masks have none such")
        target = matched(output, target)
        rows = _sigmoid_rows if target.ndim == output.ndim else _softmax_rows
        sums = stream(partial(rows, squared=squared), output, target).sum(1)
        if self.per == "batch":
            sums = across_ranks(sums.sum(0, keepdim=True))
        both, predicted, actual = sums.unbind(1)
        return both, predicted, actual

    def mean(self, losses: Float[Tensor, "s k"], actual: Float[Tensor, "s k"]) -> Float[Tensor, ""]:
        """The mean over the classes that count, then over the images that have any."""
        if not self.include_background and losses.shape[1] > 1:
            losses, actual = losses[:, 1:], actual[:, 1:]
        present = (actual > 0).to(losses.dtype)
        losses = losses if self.absent == "count" else losses * present
        counted = present if self.absent == "exclude" else torch.ones_like(present)
        means = losses.sum(1) / counted.sum(1).clamp_min(1)
        ratio = torch.stack([means.sum(), (counted.sum(1) > 0).sum(dtype=losses.dtype)])
        total, count = across_ranks(ratio) if self.per == "sample" else ratio
        return total / count.clamp_min(1)


def quotient(difference: Float[Tensor, "s k"], size: Float[Tensor, "s k"]) -> Float[Tensor, "s k"]:
    """The share that differs; two empty sets do not."""
    return difference / size.clamp_min(EMPTY)


def _softmax_rows(output: Tensor, target: Tensor, squared: bool) -> Tensor:
    """[1 r 3 k]: the three sums over the width."""
    index = class_index(target, output.shape[1])
    known = (target != UNKNOWN)[:, None].to(output.dtype)
    p = output.softmax(1)
    zeros = p.new_zeros(1, output.shape[2], output.shape[1])
    both = zeros.scatter_add(2, index[:, 0], (p.gather(1, index) * known)[:, 0])
    actual = zeros.scatter_add(2, index[:, 0], known[:, 0])
    return torch.stack([both, _predicted(p, known, squared), actual], 2)


def _sigmoid_rows(output: Tensor, target: Tensor, squared: bool) -> Tensor:
    yes, known = yes_and_known(output, target)
    p, actual = output.sigmoid(), yes * known
    return torch.stack([(p * actual).sum(3).mT, _predicted(p, known, squared), actual.sum(3).mT], 2)


def _predicted(p: Tensor, known: Tensor, squared: bool) -> Tensor:
    return ((p.square() if squared else p) * known).sum(3).mT
