"""Masks inside boxes -> masks of the image."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

THRESHOLD = 0.5


def paste(
    masks: Float[Tensor, "n m m"],
    boxes: Float[Tensor, "n 4"],
    size: tuple[int, int],
    threshold: float = THRESHOLD,
) -> Bool[Tensor, "n {size[0]} {size[1]}"]:
    """Where each mask, spread over its box, is at least a half, or `threshold`, at the middle of a pixel.

    Boxes are taken as they are, where torchvision rounds them; one object at a time, so that nothing of the image's
    size is ever a float for all of them.

    Args:
        masks: probabilities.
        boxes: pixel edges; what reaches beyond the image is cut off.
        size: height and width of the image.
        threshold: probability from which a pixel is the object's.
    """
    height, width = size
    limit = boxes.new_tensor([width, height, width, height])
    corners = torch.cat([boxes[:, :2].floor(), boxes[:, 2:].ceil()], 1).clamp_min(0).minimum(limit).long().tolist()
    image = torch.zeros(len(masks), height, width, dtype=torch.bool, device=masks.device)
    for place, mask, box, (x0, y0, x1, y1) in zip(image, masks, boxes, corners, strict=True):
        if x0 < x1 and y0 < y1:
            x, y = _places(x0, x1, box[0], box[2]), _places(y0, y1, box[1], box[3])
            grid = torch.stack([x.expand(len(y), -1), y[:, None].expand(-1, len(x))], -1)
            inside = F.grid_sample(mask[None, None], grid[None], align_corners=False)[0, 0]
            place[y0:y1, x0:x1] = inside >= threshold
    return image


def _places(first: int, last: int, low: Tensor, high: Tensor) -> Tensor:
    """The middles of pixels from -1 at the box's one edge to 1 at the other."""
    middles = torch.arange(first, last, dtype=low.dtype, device=low.device) + 0.5
    return (middles - low) / (high - low) * 2 - 1
