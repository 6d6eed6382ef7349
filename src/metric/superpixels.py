"""How well superpixels keep to the borders of a labelling, whatever is made of them (Neubert and Protzel, 2012)."""

import torch
from jaxtyping import Float, Int, Integer
from torch import Tensor

from src.data.description import UNKNOWN


def achievable_accuracy(superpixels: Integer[Tensor, " h w"], target: Integer[Tensor, " h w"]) -> Float[Tensor, ""]:
    """Share of the known pixels that are right if each superpixel takes its most frequent class; NaN if none is known.

    Args:
        superpixels: numbered from 0.
        target: class per pixel, 255 unknown.
    """
    counts = _counts(superpixels, target)
    return counts.amax(1).sum() / counts.sum()


def undersegmentation_error(superpixels: Integer[Tensor, " h w"], target: Integer[Tensor, " h w"]) -> Float[Tensor, ""]:
    """Share of the known pixels that leak: of a superpixel on a border, for each class the smaller of both its sides.

    Args:
        superpixels: numbered from 0.
        target: class per pixel, 255 unknown.
    """
    counts = _counts(superpixels, target)
    return torch.minimum(counts, counts.sum(1, keepdim=True) - counts).sum() / counts.sum()


def _counts(superpixels: Integer[Tensor, " h w"], target: Integer[Tensor, " h w"]) -> Int[Tensor, " n k"]:
    """Pixels of each class in each superpixel."""
    known = target != UNKNOWN
    pairs = superpixels[known].long() * UNKNOWN + target[known].long()
    return torch.bincount(pairs, minlength=(int(superpixels.max()) + 1) * UNKNOWN).view(-1, UNKNOWN)
