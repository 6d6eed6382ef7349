"""Pixels drawn by their class, so that rare ones are seen."""

import torch
from jaxtyping import Integer
from torch import Tensor

from src.data.description import UNKNOWN


def pixel_of_a_class(mask: Integer[Tensor, "*k h w"]) -> tuple[int, int] | None:
    """Row and column of a random pixel of a random class of the mask; None where all is unknown."""
    if mask.ndim == 3:  # of k overlapping classes, each 0 or 1
        present = (mask == 1).flatten(1).any(1).nonzero().flatten()
    else:
        present = torch.bincount(mask.flatten(), minlength=UNKNOWN)[:UNKNOWN].nonzero().flatten()
    if len(present) == 0:
        return None
    drawn = int(present[torch.randint(len(present), ())])
    places = (mask[drawn] == 1 if mask.ndim == 3 else mask == drawn).flatten().nonzero().flatten()
    return divmod(int(places[torch.randint(len(places), ())]), mask.shape[-1])
