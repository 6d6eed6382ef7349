"""Objects from a map of their numbers."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Integer

from src.data.box import box
from src.data.sample import Instances


def numbered(ids: Integer[np.ndarray, "h w"], classes: Mapping[int, int]) -> Instances:
    """An object for each of the numbers in `classes`, in that order, with its box.

    Args:
        ids: which object each pixel is of.
        classes: number of an object, at least one pixel of which is there -> its class index.
    """
    masks = np.zeros((len(classes), *ids.shape), bool)
    for mask, number in zip(masks, classes, strict=True):
        np.equal(ids, number, out=mask)
    return Instances(
        boxes=torch.tensor([box(mask) for mask in masks], dtype=torch.float32).reshape(-1, 4),
        labels=torch.tensor(list(classes.values()), dtype=torch.int64),
        masks=torch.from_numpy(masks),
    )
