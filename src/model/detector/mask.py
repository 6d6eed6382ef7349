"""The branch that draws an object inside its box: a small FCN (He et al., 2017)."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.models.detection.roi_heads import project_masks_on_boxes
from torchvision.models.detection.transform import resize_boxes

from src.model.detector.paste import paste
from src.model.interface import Norm


class Mask(nn.Module):
    """3×3 convolutions, a transposed one that doubles the cells, and a logit for each cell and class.

    Args:
        size: cells along each side of the region that is cut out; the mask has twice as many, unless a C4 stage,
            which halves them, comes between.
        width: channels of the convolutions.
        layers: 3×3 convolutions.
        class_agnostic: one mask for whatever the class is, in place of one for each.
        norm: of the 3×3 convolutions; None for none, as published.
        channels: of the cells.
        out_channels: classes without background.
    """

    field = "masks"  # of Instances, what it learns from and finds

    def __init__(
        self,
        size: int = 14,
        width: int = 256,
        layers: int = 4,
        class_agnostic: bool = False,
        norm: Norm | None = None,
        *,
        channels: int,
        out_channels: int,
    ) -> None:
        super().__init__()
        self.size, self.class_agnostic = size, class_agnostic
        self.head = MaskRCNNHeads(channels, [width] * layers, 1, norm)
        maps = 1 if class_agnostic else out_channels + 1  # torchvision's weights have background's too, never learned
        self.predictor = MaskRCNNPredictor(width if layers else channels, width, maps)

    def forward(self, cells: Float[Tensor, "n c s s"]) -> Float[Tensor, "n k m m"]:
        """Cells of each region -> logits of the masks."""
        return self.predictor(self.head(cells)).float()

    def term(
        self,
        logits: Float[Tensor, "n k m m"],
        boxes: Sequence[Float[Tensor, "_ 4"]],
        index: Sequence[Int[Tensor, " _"]],
        targets: Sequence[Mapping[str, Tensor]],
    ) -> tuple[Float[Tensor, "n m m"], Float[Tensor, "n m m"]]:
        """Logits of the right class, and what they ought to say, 0 to 1.

        Args:
            boxes: of the regions of each image, in pixels.
            index: of the object that each region holds.
            targets: `masks` and `labels` of each image's objects.
        """
        labels = torch.cat([target["labels"][which] for target, which in zip(targets, index, strict=True)])
        side = logits.shape[-1]
        wanted = [
            project_masks_on_boxes(target["masks"], box, which, side)
            for target, box, which in zip(targets, boxes, index, strict=True)
        ]
        return self._chosen(logits, labels), torch.cat(wanted)

    def found(
        self,
        logits: Float[Tensor, "n k m m"],
        boxes: Float[Tensor, "n 4"],
        labels: Int[Tensor, " n"],
        shape: tuple[int, int],
        size: tuple[int, int],
    ) -> Bool[Tensor, "n h w"]:
        """Masks of one image's objects at `size`; their boxes are in pixels of an image of `shape`."""
        return paste(self._chosen(logits, labels).sigmoid(), resize_boxes(boxes, shape, size), size)

    def _chosen(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Of each region the map of its class; `labels` count background as 0."""
        which = torch.zeros_like(labels) if self.class_agnostic else labels
        return logits[torch.arange(len(labels), device=labels.device), which]
