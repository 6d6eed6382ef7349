"""The branch that judges a region by two pathways (Hariharan et al., 2014; Dai et al., 2016): its box and its mask."""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor

from src.model.detector.box import Box, head

AGREED = 0.5  # IoU of a mask with its object from which the mask is of the object's class


class Pathways(Box):
    """As `Box`, on what either pathway makes of its cells, side by side; and a second classification.

    The first learns whether the box overlaps an object, as does the correction of the box, and the second whether the
    mask does.

    Args:
        size: cells along each side that it sees of a region, whose maxima by two are what the layers see.
        width: of each pathway's two layers; None for none, where the mean over all cells is classified (C4).
        sampling: see `Box`.
        channels: of the cells.
        out_channels: classes without background.
    """

    def __init__(
        self, size: int = 14, width: int | None = 1024, *, channels: int, out_channels: int, **sampling: Any
    ) -> None:
        seen, wide = size // 2 if width else size, 2 * (width or channels)
        super().__init__(seen, width, channels=channels, out_channels=out_channels, **sampling)
        self.size, self.pool = size, nn.MaxPool2d(2) if width else nn.Identity()
        self.mask_head = head(channels, seen, width)
        self.box_predictor = FastRCNNPredictor(wide, out_channels + 1)
        self.mask_score = nn.Linear(wide, out_channels + 1)

    def forward(
        self, cells: Float[Tensor, "n c s s"], masked: Float[Tensor, "n c s s"]
    ) -> tuple[Float[Tensor, "n k"], Float[Tensor, "n 4*k"], Float[Tensor, "n k"]]:
        """Cells of each box, and of what its mask leaves -> logits, numbers of each class's box, and the mask's logits.

        Background comes first.
        """
        seen = torch.cat([self.mask_head(self.pool(masked)), self.box_head(self.pool(cells))], 1)
        logits, deltas = self.box_predictor(seen)
        return logits.float(), deltas.float(), self.mask_score(seen).float()


def judged(logits: Float[Tensor, "n k"], labels: Int[Tensor, " n"], overlap: Float[Tensor, " m"]) -> Float[Tensor, ""]:
    """Cross entropy of the masks' classes: that of the object where a mask agrees with it, background elsewhere.

    Args:
        logits: of the masks' classes.
        labels: of the boxes, 0 for background.
        overlap: IoU of the mask with its object, of each box that holds one.
    """
    held = labels > 0
    labels = labels.masked_scatter(held, torch.where(overlap >= AGREED, labels[held], 0))
    return F.cross_entropy(logits, labels) if len(labels) else logits.sum()
