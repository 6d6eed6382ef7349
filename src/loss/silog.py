"""The scale-invariant error of log-depth (Eigen et al., 2014), under a root as in BTS (Lee et al., 2019)."""

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn

from src.loss.known import fault, paired, weight, zeroed
from src.loss.nll import check_choice
from src.loss.ranks import across_ranks
from src.loss.stream import stream


class Silog(nn.Module):
    """√(mean d² - λ mean(d)²), d = output - target, both log-depth; without the root Eigen's own.

    With λ = 0.85 that is the √(Var d + 0.15 mean(d)²) of BTS, ZoeDepth and Metric3D, but for their constant factor
    of 10. At λ = 1 a common factor of all depths costs nothing, at λ = 0 it is the (root) mean square of d.

    Args:
        invariance: λ.
        root: whether the root is taken.
        per: `batch` takes the means over the pixels of all images of all processes at once, as BTS and ZoeDepth do;
            `sample` over those of each image, as Eigen does, and then the mean over the images that have any.

    Raises:
        ValueError: λ outside [0, 1], or an unknown word.
    """

    prices = ("depth",)
    measure = "log"  # what output and target are

    def __init__(self, invariance: float = 0.85, root: bool = True, per: str = "batch") -> None:
        super().__init__()
        if not 0 <= invariance <= 1:
            raise ValueError(f"loss.invariance={invariance} is silog's lambda: it must lie in [0, 1]")
        check_choice("per", per, ("batch", "sample"))
        self.invariance, self.root, self.per = invariance, root, per

    def forward(self, output: Float[Tensor, "b c h w"], target: Float[Tensor, "b ..."]) -> Float[Tensor, ""]:
        """The loss, NaN being unknown in the target; 0 where nothing is known. Raises ValueError for other shapes."""
        rows = stream(_rows, output, paired(output, target), slope=_slope)  # [b h 3]
        count, mean, variance = _merged(rows if self.per == "sample" else rows.flatten(0, 1)[None], self.per)
        errors = variance + (1 - self.invariance) * mean.square()
        errors = _root(errors) if self.root else errors
        if self.per == "batch":
            return errors[0]
        total, images = across_ranks(torch.stack([errors.sum(), (count > 0).sum(dtype=errors.dtype)]))
        return total / images.clamp_min(1)

    def total_weight(self, target: Float[Tensor, "b c h w"]) -> Integer[Tensor, ""]:
        """What the mean divides by."""
        return weight(target, self.per)


def _rows(output: Tensor, target: Tensor) -> Tensor:
    """[1 r 3]: of each row how many values are known, their sum, and their squared distance from its own mean."""
    d, count, mean = _parts(output, target)
    scatter = zeroed(d - mean[:, None, :, None]).square().sum((1, 3))
    return torch.stack([count, mean * count + fault(output), scatter], 2)


def _slope(output: Tensor, target: Tensor, gradient: Tensor) -> Tensor:
    d, _, mean = _parts(output, target)
    by_sum, by_scatter = gradient[..., 1], 2 * gradient[..., 2]
    constant = by_sum - by_scatter * mean
    return zeroed(d * by_scatter[:, None, :, None] + constant[:, None, :, None])


def _parts(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    d = output - target
    count = (target == target).sum((1, 3)).to(d.dtype)
    return d, count, d.nansum((1, 3)) / count.clamp_min(1)


def _merged(rows: Float[Tensor, "s r 3"], per: str) -> tuple[Tensor, Tensor, Tensor]:
    """Count, mean and variance [s] of all rows together (Chan et al., 1983): no large numbers are subtracted."""
    count, sums, scatter = rows.unbind(2)
    among = across_ranks if per == "batch" else _alone
    total, whole = among(torch.stack([count.sum(1), sums.sum(1)]))
    mean = whole / total.clamp_min(1)
    # The squared distance is least at the mean, where its slope is 0.
    between = count * (sums / count.clamp_min(1) - mean.detach()[:, None]).square()
    return total, mean, among((scatter + between).sum(1)) / total.clamp_min(1)


def _alone(sums: Tensor) -> Tensor:
    return sums


def _root(values: Tensor) -> Tensor:
    """√, with a slope of 0 at 0."""
    rooted = values != 0  # one that is no number stays one
    return torch.where(rooted, torch.where(rooted, values, 1).sqrt(), 0)
