"""Borders by mirroring."""

import torch
from jaxtyping import Int64
from torch import Tensor


def mirrored(length: int, before: int, cells: int, device: torch.device) -> Int64[Tensor, " cells"]:
    """Indices that extend `length` cells to `cells`, the first `before` of them added (the border cell itself once)."""
    period = max(2 * (length - 1), 1)
    index = (torch.arange(cells, device=device) - before) % period
    return torch.minimum(index, period - index)
