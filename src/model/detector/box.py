"""The branch that says what a proposal holds, and corrects its box (Girshick, 2015)."""

from collections.abc import Sequence

from jaxtyping import Float, Int
from torch import Tensor, nn
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.roi_heads import RoIHeads, fastrcnn_loss


class Box(RoIHeads):
    """Two fully connected layers, then scores of n classes and background, and a box for each of them.

    Its parents' `select_training_samples` and `postprocess_detections` are used as they are.

    Args:
        size: cells along each side that it sees of a region.
        width: of the two layers; None for none, where the mean over the cells is what is classified (C4).
        samples: proposals of each image that are learned from.
        positive: share of them, at most, that hold an object.
        foreground, background: IoU from which a proposal holds an object, and below which it holds none.
        score: objects below it are not told.
        nms: IoU above which the worse of two objects of one class is dropped.
        detections: objects of an image that are told, at most.
        channels: of the cells.
        out_channels: classes without background.
    """

    def __init__(
        self,
        size: int = 7,
        width: int | None = 1024,
        samples: int = 512,
        positive: float = 0.25,
        foreground: float = 0.5,
        background: float = 0.5,
        score: float = 0.05,
        nms: float = 0.5,
        detections: int = 100,
        *,
        channels: int,
        out_channels: int,
    ) -> None:
        seen, predictor = head(channels, size, width), FastRCNNPredictor(width or channels, out_channels + 1)
        super().__init__(None, seen, predictor, foreground, background, samples, positive, None, score, nms, detections)
        self.size = size

    def forward(self, cells: Float[Tensor, "n c s s"]) -> tuple[Float[Tensor, "n k"], Float[Tensor, "n 4*k"]]:
        """Cells of each region -> logits, of which the first is background's, and four numbers of each class's box."""
        logits, deltas = self.box_predictor(self.box_head(cells))
        return logits.float(), deltas.float()

    def terms(
        self,
        logits: Float[Tensor, "n k"],
        deltas: Float[Tensor, "n 4*k"],
        labels: Sequence[Int[Tensor, " _"]],
        wanted: Sequence[Float[Tensor, "_ 4"]],
    ) -> dict[str, Float[Tensor, ""]]:
        """`class` and `box`, for the regions' labels and the corrections they need; 0 where there are no regions."""
        if not len(logits):
            return {"class": logits.sum() * 0, "box": deltas.sum() * 0}
        classes, boxes = fastrcnn_loss(logits, deltas, list(labels), list(wanted))
        return {"class": classes, "box": boxes}


def head(channels: int, size: int, width: int | None) -> nn.Module:
    """What makes one vector of a region's cells: two layers of `width`, or the mean over the cells where it is None."""
    return TwoMLPHead(channels * size**2, width) if width else nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
