"""The branch that draws an object inside its box by fully connected layers, whatever its class (Dai et al., 2016)."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import box_area, roi_align


class FcMask(nn.Module):
    """A hidden layer, then a logit for each cell of the mask.

    Args:
        size: cells along each side of the mask.
        width: of the hidden layer.
        threshold: share of a cell, and probability of a pixel, from which it is the object's.
        channels: of the cells that are seen.
        cells: along each side of the region.
    """

    field = "masks"  # of Instances, what it learns from and finds

    def __init__(self, size: int = 21, width: int = 256, threshold: float = 0.4, *, channels: int, cells: int) -> None:
        super().__init__()
        self.size, self.threshold = size, threshold
        self.hidden, self.score = nn.Linear(channels * cells**2, width), nn.Linear(width, size**2)

    def forward(self, cells: Float[Tensor, "n c s s"]) -> Float[Tensor, "n m m"]:
        """Cells of each region -> logits of its mask."""
        said = self.score(F.relu(self.hidden(cells.flatten(1))))
        return said.unflatten(1, (self.size, self.size)).float()

    def wanted(
        self,
        boxes: Sequence[Float[Tensor, "_ 4"]],
        index: Sequence[Int[Tensor, " _"]],
        targets: Sequence[Mapping[str, Tensor]],
    ) -> Float[Tensor, "n m m"]:
        """The share of each cell that its object covers.

        Args:
            boxes: of each image's regions, in pixels.
            index: of the object that each region holds.
            targets: `masks` of each image's objects, at least one where there are regions.
        """
        parts = zip(boxes, index, targets, strict=True)
        return torch.cat([self._shares(target["masks"], box, which) for box, which, target in parts])

    def overlap(
        self,
        logits: Float[Tensor, "n m m"],
        wanted: Float[Tensor, "n m m"],
        boxes: Sequence[Float[Tensor, "_ 4"]],
        index: Sequence[Int[Tensor, " _"]],
        targets: Sequence[Mapping[str, Tensor]],
    ) -> Float[Tensor, " n"]:
        """IoU of what the logits draw with the whole object, the part of it beyond the box included.

        Args:
            wanted: as `wanted` gives it of the others.
        """
        parts = zip(targets, index, strict=True)
        whole = torch.cat([target["masks"].sum((1, 2)).to(wanted)[which] for target, which in parts])
        pixels = box_area(torch.cat(list(boxes))) / self.size**2  # of a cell
        drawn = (logits.sigmoid() >= self.threshold).float()
        both = (drawn * wanted).sum((1, 2)) * pixels
        return both / (drawn.sum((1, 2)) * pixels + whole - both).clamp_min(1e-6)

    def _shares(self, masks: Tensor, boxes: Tensor, index: Tensor) -> Tensor:
        rois = torch.cat([index[:, None].to(boxes), boxes], 1)
        return roi_align(masks[:, None].to(boxes), rois, self.size, 1.0, -1, True)[:, 0]
