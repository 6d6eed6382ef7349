"""Lovász loss (Berman et al., 2018): the convex closure of 1 - IoU, of a softmax or, as a hinge, of each channel."""

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor, nn

from src.data.description import UNKNOWN
from src.loss.nll import check_choice
from src.loss.stream import stream
from src.loss.target import matched


class Lovasz(nn.Module):
    """The Lovász extension of 1 - IoU at the errors of each class, the mean over the classes present.

    Its value is linear in the errors once these are sorted, so all that the gradient needs is one slope per score.
    IoU over several processes is not a mean of theirs: each takes it over its own images.

    Args:
        per: `batch` or `sample`: the images over which one IoU is taken.
        absent: `exclude` leaves a class without a true pixel out of the mean, `count` takes it by its largest error.

    Raises:
        ValueError: unknown words.
    """

    prices = ("semantic",)

    def __init__(self, per: str = "batch", absent: str = "exclude") -> None:
        super().__init__()
        check_choice("per", per, ("batch", "sample"))
        check_choice("absent", absent, ("exclude", "count"))
        self.per = per
        self.absent = absent

    def forward(self, output: Float[Tensor, "b k h w"], target: Integer[Tensor, "b ..."]) -> Float[Tensor, ""]:
        """The loss; 0 where nothing is known. Raises ValueError for a target that does not fit."""
        target = matched(output, target)
        hinge = target.ndim == output.ndim
        with torch.no_grad():
            slopes = output.to(torch.float32, copy=True) if hinge else output.softmax(1, dtype=torch.float32)
            groups = 1 if self.per == "batch" else len(output)
            parts = zip(slopes.chunk(groups), target.chunk(groups), strict=True)
            constant = torch.stack([self._slopes(part, truth, hinge) for part, truth in parts]).mean()
            slopes /= groups
        return constant + stream(_hinge_rows if hinge else _softmax_rows, output, slopes).sum()

    def _slopes(self, scores: Float[Tensor, "g k h w"], target: Integer[Tensor, "g ..."], hinge: bool) -> Tensor:
        """Write the loss's slope over each score into its place, and return the loss where all scores are 0."""
        known = target != UNKNOWN
        constants, counts = [], []
        for index in range(scores.shape[1]):
            plane = scores[:, index]
            true = target[:, index] == 1 if hinge else target == index
            valid = known[:, index] if hinge else known
            sign = true.to(plane.dtype) * 2 - 1
            error = 1 - plane * sign if hinge else plane.where(~true, 1 - plane)
            slope = _slope(error, true, valid)
            if hinge:
                slope *= error > 0
            constants.append(slope.sum() if hinge else (slope * true).sum())
            counts.append(true.any() | (self.absent == "count"))
            plane.copy_(-sign * slope)
        share = torch.stack(counts).to(scores.dtype)
        share = share / share.sum().clamp_min(1)
        scores *= share[:, None, None]
        return (torch.stack(constants) * share).sum()


def _slope(error: Float[Tensor, "g h w"], true: Bool[Tensor, "g h w"], known: Bool[Tensor, "g h w"]) -> Tensor:
    """By how much 1 - IoU grows as each pixel joins the wrong ones, the worst first; 0 where it is unknown."""
    # Unknown pixels come last, where they change nothing of what came before.
    order = _descending(error.masked_fill(~known, -torch.inf).flatten())
    hit = true.flatten()[order]
    total = hit.sum()
    left = (total - hit.cumsum(0, dtype=torch.int32)).to(error.dtype)
    union = torch.arange(1, len(order) + 1, device=order.device, dtype=error.dtype).add_(left)
    # The difference of two neighbours in closed form: subtracting them would lose half of the digits.
    steps = left.div_((union - 1).mul_(union).clamp_min_(1))
    steps = torch.where(hit, union.reciprocal_(), steps)
    steps[0] = torch.where(total == 0, 1, steps[0])
    return torch.empty_like(steps).scatter_(0, order, steps).view_as(error) * known


def _descending(values: Float[Tensor, " n"]) -> Integer[Tensor, " n"]:
    """The order of the values, the largest first; equal ones keep theirs."""
    if values.device.type != "cpu" or values.dtype != torch.float32:
        return values.argsort(descending=True, stable=True)
    # A float's bits are in the order of its value, if those of a negative one are turned round. Whole numbers that
    # hold the place beside them sort in half the time of an argsort, and in their own memory.
    bits = (values + 0.0).view(torch.int32)  # there is no -0 then
    keys = (~(bits ^ (bits >> 31 & 0x7FFFFFFF))).long().bitwise_left_shift_(32)
    keys += torch.arange(len(keys))
    keys.numpy().sort()
    return keys.bitwise_and_(0xFFFFFFFF)


def _softmax_rows(output: Tensor, slopes: Tensor) -> Tensor:
    return (output.softmax(1) * slopes).sum((1, 3))


def _hinge_rows(output: Tensor, slopes: Tensor) -> Tensor:
    return (output * slopes).sum((1, 3))
