"""Merging of masks (Dai et al., 2016): an object is what the masks of all boxes around it agree on."""

import torch
from jaxtyping import Float
from torch import Tensor
from torchvision.ops import batched_nms, box_iou, masks_to_boxes

from src.data.sample import Instances
from src.model.detector.paste import paste


def merged(
    masks: Float[Tensor, "n m m"],
    boxes: Float[Tensor, "n 4"],
    scores: Float[Tensor, "n k"],
    size: tuple[int, int],
    *,
    score: float = 0.05,
    nms: float = 0.3,
    merge: float = 0.5,
    threshold: float = 0.4,
    detections: int = 100,
) -> Instances:
    """Objects of an image, the best first; their boxes are what their masks fill.

    Of each class the boxes that no better one covers are kept. The masks of all boxes around such a one, whatever their
    own best class, are drawn, weighted by their scores of this class, and averaged.

    Args:
        masks: probabilities inside the boxes.
        boxes: pixel edges, at `size`.
        scores: of each class, without background.
        size: height and width of the image.
        score: objects below it are not told.
        nms: IoU above which the worse of two boxes of a class is dropped.
        merge: IoU with a kept box from which a box's mask counts for it.
        threshold: of a mask's probability, and then of the average.
        detections: objects that are told, at most.
    """
    index, labels = (scores > score).nonzero(as_tuple=True)
    kept = batched_nms(boxes[index], scores[index, labels], labels, nms)[:detections]
    index, labels = index[kept], labels[kept]
    near = box_iou(boxes[index], boxes) >= merge
    voters = near.any(0).nonzero()[:, 0]
    drawn = paste(masks[voters], boxes[voters], size, threshold)
    votes = near[:, voters] * scores[voters][:, labels].T
    found = torch.zeros(len(index), *size, dtype=torch.bool, device=boxes.device)
    for place, vote in zip(found, votes, strict=True):
        few = vote.nonzero()[:, 0]
        place[:] = torch.einsum("n,nhw->hw", vote[few] / vote.sum(), drawn[few].float()) >= threshold
    there = found.flatten(1).any(1)
    edges = masks_to_boxes(found[there]) + boxes.new_tensor([0, 0, 1, 1])  # theirs ends at the last pixel's left edge
    return Instances(edges, labels[there], found[there], scores=scores[index, labels][there])
