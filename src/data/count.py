"""What a mask holds."""

import torch
from jaxtyping import Int64, Integer
from torch import Tensor

from src.data.description import UNKNOWN, Description


def class_pixels(mask: Integer[Tensor, "*k h w"], description: Description) -> Int64[Tensor, " classes"]:
    """Pixels of each class in a mask of indices, or in one of 0, 1 and 255 per class where masks overlap."""
    if description.multilabel:
        return (mask == 1).flatten(1).sum(1)
    return torch.bincount(mask.flatten().long(), minlength=UNKNOWN + 1)[: description.num_classes]
