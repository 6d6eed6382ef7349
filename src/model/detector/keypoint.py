"""The branch that finds an object's keypoints: for each of them a map with a single right cell (He et al., 2017)."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection.keypoint_rcnn import KeypointRCNNHeads, KeypointRCNNPredictor
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads
from torchvision.models.detection.roi_heads import heatmaps_to_keypoints, keypoints_to_heatmap
from torchvision.models.detection.transform import resize_keypoints

from src.data.description import UNSEEN
from src.model.interface import Norm


class Keypoint(nn.Module):
    """3×3 convolutions, then a transposed one and a bilinear step that double the cells each.

    Args:
        size: cells along each side of the region that is cut out; maps have four times as many.
        width: channels of the convolutions.
        layers: 3×3 convolutions.
        norm: of these; None for none, as published.
        channels: of the cells.
        out_channels: keypoints of an object.
    """

    field = "keypoints"  # of Instances, what it learns from and finds

    def __init__(
        self,
        size: int = 14,
        width: int = 512,
        layers: int = 8,
        norm: Norm | None = None,
        *,
        channels: int,
        out_channels: int,
    ) -> None:
        super().__init__()
        self.size, widths = size, [width] * layers
        self.head = MaskRCNNHeads(channels, widths, 1, norm) if norm else KeypointRCNNHeads(channels, widths)
        self.predictor = KeypointRCNNPredictor(width if layers else channels, out_channels)

    def forward(self, cells: Float[Tensor, "n c s s"]) -> Float[Tensor, "n k m m"]:
        """Cells of each region -> logits of where each keypoint is."""
        return self.predictor(self.head(cells)).float()

    def term(
        self,
        logits: Float[Tensor, "n k m m"],
        boxes: Sequence[Float[Tensor, "_ 4"]],
        index: Sequence[Int[Tensor, " _"]],
        targets: Sequence[Mapping[str, Tensor]],
    ) -> tuple[Float[Tensor, "n k m m"], Int[Tensor, "n k"]]:
        """The logits, and of each keypoint the index of its cell, -100 where there is none.

        Args:
            boxes: of the regions of each image, in pixels.
            index: of the object that each region holds.
            targets: `keypoints` of each image's objects.
        """
        cells = []
        for target, box, which in zip(targets, boxes, index, strict=True):
            cell, known = keypoints_to_heatmap(target["keypoints"][which], box, logits.shape[-1])
            cells.append(torch.where(known > 0, cell, UNSEEN))
        return logits, torch.cat(cells)

    def found(
        self,
        logits: Float[Tensor, "n k m m"],
        boxes: Float[Tensor, "n 4"],
        labels: Int[Tensor, " n"],
        shape: tuple[int, int],
        size: tuple[int, int],
    ) -> Float[Tensor, "n k 3"]:
        """x, y at `size`, and how sure each is, 0 to 1; the boxes are in pixels of an image of `shape`.

        A keypoint is as sure as its map has probability within one cell of the highest.
        """
        places, _ = heatmaps_to_keypoints(logits, boxes)
        places = resize_keypoints(places, shape, size)
        probability = logits.flatten(2).softmax(2).view_as(logits)
        highest = probability.flatten(2).argmax(2, keepdim=True)
        around = F.avg_pool2d(probability, 3, stride=1, padding=1) * 9
        sure = around.flatten(2).gather(2, highest)
        return torch.cat([places[..., :2], sure.clamp(0, 1)], 2)
