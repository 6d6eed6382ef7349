"""Counts pairs of integers, with bins to spare for what is unknown and for what should not be there."""

import torch
from jaxtyping import Integer
from torch import Tensor

from src.data.description import UNKNOWN


def count(output: Integer[Tensor, " g n"], target: Integer[Tensor, " g n"], num_classes: int) -> Tensor:
    """How often each pair of values occurs, per group.

    Along either axis bin 0 is the unknown value 255, bins 1 to `num_classes` are the classes, and the last bin holds
    strangers, that is anything else. Nothing is read back from the device; uint8 is the fastest type on a CPU.

    Returns:
        int64 [g bins bins], bins = num_classes + 2: the target's bin first, the output's second.
    """
    bins, groups = num_classes + 2, len(target)
    pairs = torch.add(_bins(output, num_classes).int(), _bins(target, num_classes), alpha=bins)
    if groups > 1:
        pairs += bins**2 * torch.arange(groups, device=pairs.device, dtype=torch.int32)[:, None]
    return histogram(pairs.flatten(), groups * bins**2).view(groups, bins, bins)


def matrix(counts: Integer[Tensor, " *g bins bins"]) -> Integer[Tensor, " *g c d"]:
    """The confusion matrix within `counts`: a row per true class, a column per answer, and a last column, d = c + 1,
    for pixels of a known class that were answered by 255, "unknown". The unknown pixels of the target are left out.
    """
    return counts[..., 1:-1, :-1].roll(-1, dims=-1)


def refuse_strangers(counts: Integer[Tensor, " *g bins bins"]) -> None:
    """Raise ValueError where `counts` has seen a value that is neither a class nor 255; waits for the device."""
    last = counts.shape[-1] - 1
    strange = {"target": counts[..., last, :].sum().item(), "output": counts[..., last].sum().item()}
    found = " and ".join(f"{pixels:,} pixels of the {name}" for name, pixels in strange.items() if pixels)
    if found:
        raise ValueError(
            f"{found} are neither a class (0 to {last - 2}) nor {UNKNOWN}, unknown: map the values of the masks "
            "to classes, or raise the number of classes"
        )


def same_shape(output: Tensor, target: Tensor) -> None:
    """Raise ValueError unless every value of the output has its counterpart; nothing is broadcast."""
    if output.shape != target.shape:
        raise ValueError(
            f"the output is {tuple(output.shape)} and the target {tuple(target.shape)}: scores compare maps of "
            "one shape; take the argmax of logits, and bring the output to the target's size"
        )


def histogram(values: Integer[Tensor, " n"], bins: int) -> Integer[Tensor, " bins"]:
    """How often each of 0 to bins - 1 occurs; reads nothing back from a device."""
    if values.device.type == "cpu":
        return torch.bincount(values, minlength=bins)
    return _added(values, bins)


def _bins(values: Tensor, num_classes: int) -> Tensor:
    """255 -> 0, class c -> c + 1, anything else -> num_classes + 1, in the narrowest type at hand."""
    if values.dtype == torch.uint8:
        return (values + 1).clamp_(max=min(num_classes + 1, UNKNOWN))  # 255 + 1 wraps to 0
    values = values.clamp(-1, UNKNOWN + 1).short()
    strange = (values < 0) | (values >= num_classes)
    return torch.where(values == UNKNOWN, 0, torch.where(strange, num_classes + 1, values + 1))


def _added(values: Tensor, bins: int) -> Tensor:
    """The histogram without reading anything back: on an accelerator bincount waits for the largest value."""
    ones = torch.ones((), dtype=torch.int64, device=values.device).expand(len(values))
    return torch.zeros(bins, dtype=torch.int64, device=values.device).index_add_(0, values, ones)
