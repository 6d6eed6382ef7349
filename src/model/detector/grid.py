"""A grid of classifiers, each of its own place in the box, interpolated between places (Hariharan et al., 2015)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import roi_align

from src.model.decoder.hypercolumn import Hypercolumn
from src.model.upsample.bilinear import Bilinear


class Grid(nn.Module):
    """Whether a pixel is its object's, by the hypercolumn above it and by where in the box it stands.

    Of the places × places classifiers of a class a pixel asks the four whose places are nearest, with the weights of a
    bilinear interpolation. Scores are made for the whole image at once, as `Hypercolumn` does, and then cut out.

    Args:
        size: cells along each side of the mask; the paper has 50.
        places: classifiers along each side of the box; the paper has between 5 and 10.
        taps: reductions of the features of which hypercolumns are made; None for all.
        class_agnostic: one grid for whatever the class is, in place of one for each.
        channels: of each of the backbone's features.
        reductions: of them.
        out_channels: classes without background.

    Raises:
        ValueError: the backbone lacks one of `taps`, or one is no multiple of the shallowest.
    """

    weights: Tensor

    def __init__(
        self,
        size: int = 50,
        places: int = 5,
        taps: Sequence[int] | None = None,
        class_agnostic: bool = False,
        *,
        channels: Sequence[int],
        reductions: Sequence[int],
        out_channels: int,
    ) -> None:
        super().__init__()
        self.size, self.places, self.class_agnostic = size, places, class_agnostic
        count = places**2 * (1 if class_agnostic else out_channels)
        self.hypercolumn = Hypercolumn(
            taps, channels=channels, reductions=reductions, out_channels=count, upsample=Bilinear
        )
        self.register_buffer("weights", weights(places, size), persistent=False)

    def scores(self, features: list[Float[Tensor, "b _ _ _"]]) -> Float[Tensor, "b k h w"]:
        """What each classifier of each class says everywhere in the image, in pixels of the shallowest tap."""
        return self.hypercolumn(features, {})

    def forward(
        self,
        scores: Float[Tensor, "b k h w"],
        boxes: Sequence[Float[Tensor, "_ 4"]],
        labels: Int[Tensor, " n"],
    ) -> Float[Tensor, "n m m"]:
        """Logits of the objects in the boxes, whose `labels` count background as 0."""
        which = torch.zeros_like(labels) if self.class_agnostic else labels - 1
        image = torch.cat([box.new_full((len(box), 1), index) for index, box in enumerate(boxes)])
        rois = torch.cat([image, torch.cat(list(boxes))], 1).float()
        masks = rois.new_zeros(len(rois), self.size, self.size) + scores.sum() * 0  # a gradient also of nothing
        for label in which.unique():
            here, part = which == label, scores.float().unflatten(1, (-1, self.places**2))[:, label]
            cells = roi_align(part, rois[here], self.size, 1 / self.hypercolumn.reduction, 1, True)
            masks[here] = masks[here] + (cells * self.weights).sum(1)
        return masks


def weights(places: int, size: int) -> Float[Tensor, "q {size} {size}"]:
    """How much each of places² classifiers counts in each of the box's cells; they sum to 1."""
    own = torch.eye(places**2).unflatten(1, (places, places))
    return F.interpolate(own[None], size, mode="bilinear", align_corners=False)[0]
