"""Objects from a map of their numbers."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Integer
from scipy import ndimage

from src.data.sample import Instances


def numbered(ids: Integer[np.ndarray, "h w"], classes: Mapping[int, int]) -> Instances:
    """An object for each of the numbers in `classes`, in that order, with its box.

    Args:
        ids: which object each pixel is of, from 0 on.
        classes: number of an object, at least one pixel of which is there -> its class index.
    """
    rank = np.zeros(max(int(ids.max()), *classes, 0) + 1, np.int32)
    rank[list(classes)] = np.arange(1, len(classes) + 1)
    ranks = rank[ids]
    places = ndimage.find_objects(ranks, max_label=len(classes))
    masks = np.zeros((len(classes), *ids.shape), bool)
    for number, (mask, place) in enumerate(zip(masks, places, strict=True), 1):
        np.equal(ranks[place], number, out=mask[place])
    edges = [(x.start, y.start, x.stop, y.stop) for y, x in places]
    return Instances(
        boxes=torch.tensor(edges, dtype=torch.float32).reshape(-1, 4),
        labels=torch.tensor(list(classes.values()), dtype=torch.int64),
        masks=torch.from_numpy(masks),
    )
