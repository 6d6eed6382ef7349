"""What a metric keeps of the objects of one image: little enough that a whole set of images fits in memory."""

from dataclasses import dataclass

import numpy as np
import torch
from faster_coco_eval.core import mask as rle
from jaxtyping import Bool, Float, Integer
from torch import Tensor

from src.data.sample import Instances

_FAR = -1e9  # where a keypoint that is not a number is put, so that it is near nothing


@dataclass(frozen=True, eq=False)  # torchmetrics wants a hash of what a state holds
class Kept:
    """The n objects of one image on the CPU, in float64; masks as COCO's compressed run lengths."""

    labels: Integer[np.ndarray, " n"]
    boxes: Float[np.ndarray, " n 4"]  # x, y, width, height
    scores: Float[np.ndarray, " n"] | None = None  # of predictions
    masks: list[dict] | None = None  # {size, counts}
    keypoints: Float[np.ndarray, " n k 3"] | None = None
    crowd: Bool[np.ndarray, " n"] | None = None
    areas: Float[np.ndarray, " n"] | None = None  # pixels: as the dataset says, else of the mask

    @classmethod
    def of(cls, objects: Instances, masks: bool) -> "Kept":
        """What there is of objects, with their masks only if these are asked for.

        A prediction's values that are not numbers, which a model that diverged gives, become those that are nowhere
        near anything: a score below all others, an empty box, a keypoint far off.
        """
        boxes = _array(objects.boxes)
        keypoints, scores = _array(objects.keypoints), _array(objects.scores)
        if scores is not None:
            scores, boxes = np.nan_to_num(scores, nan=-1.0), np.nan_to_num(boxes)
            keypoints = None if keypoints is None else np.nan_to_num(keypoints, nan=_FAR)
        boxes = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
        return cls(
            labels=objects.labels.cpu().numpy(),
            boxes=boxes,
            scores=scores,
            masks=encoded(objects.masks) if masks and objects.masks is not None else None,
            keypoints=keypoints,
            crowd=None if objects.crowd is None else objects.crowd.cpu().numpy(),
            areas=_array(_areas(objects)),
        )

    def __len__(self) -> int:
        return len(self.labels)


def encoded(masks: Integer[Tensor, " n h w"] | Bool[Tensor, " n h w"] | Float[Tensor, " n h w"]) -> list[dict]:
    """COCO's compressed run lengths {size: [h, w], counts: bytes} of masks, where what is not 0 is inside."""
    if not len(masks):
        return []
    columns = masks.ne(0).transpose(1, 2).contiguous().cpu()  # which COCO reads one after the other
    return rle.encode(columns.view(torch.uint8).numpy().transpose(2, 1, 0))


def _areas(objects: Instances) -> Tensor | None:
    if objects.areas is not None or objects.masks is None:
        return objects.areas
    return objects.masks.ne(0).sum((1, 2))


def _array(values: Tensor | None) -> np.ndarray | None:
    return None if values is None else values.detach().double().cpu().numpy()
