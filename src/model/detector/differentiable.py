"""A region proposal network whose boxes carry a gradient (Dai et al., 2016): later stages correct them as well."""

from typing import Any

from jaxtyping import Float
from torch import Tensor
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.rpn import concat_box_prediction_layers

from src.model.detector.rpn import Rpn


class Differentiable(Rpn):
    """As `Rpn`, with the same boxes and terms; torchvision's forward, in which the corrections are not cut off.

    Args:
        clip: no number of a correction gets a larger gradient from the later stages, shared by the images as the mean
            of their losses is; the authors', of one image at a time, is 1/512.
        parts: see `Rpn`.
    """

    def __init__(self, clip: float = 1 / 512, **parts: Any) -> None:
        super().__init__(**parts)
        self.clip = clip

    def forward(
        self, images: ImageList, features: dict[str, Tensor], targets: list[dict[str, Tensor]] | None = None
    ) -> tuple[list[Float[Tensor, "_ 4"]], dict[str, Float[Tensor, ""]]]:
        """Boxes of each image in pixels, the best first; and in training the terms `objectness` and `rpn_box`."""
        levels = list(features.values())
        logits, deltas = self.head(levels)
        anchors, counts = self.anchor_generator(images, levels), [level[0].numel() for level in logits]
        objectness, flat = concat_box_prediction_layers(logits, deltas)
        moved = self.box_coder.decode(clipped(flat, self.clip / len(anchors)), anchors).view(len(anchors), -1, 4)
        boxes, _ = self.filter_proposals(moved, objectness, images.image_sizes, counts)
        if not self.training:
            return boxes, {}
        labels, matched = self.assign_targets_to_anchors(anchors, targets)
        wanted = self.box_coder.encode(matched, anchors)
        first, second = self.compute_loss(objectness, flat, labels, wanted)
        return boxes, {"objectness": first, "rpn_box": second}


def clipped(values: Float[Tensor, "*n"], limit: float) -> Float[Tensor, "*n"]:
    """The values, through which no gradient passes that is larger than `limit`."""
    values = values.view_as(values)  # so that whoever else uses them gets the whole gradient
    if values.requires_grad:
        values.register_hook(lambda gradient: None if gradient is None else gradient.clamp(-limit, limit))
    return values
