"""FCIS (Li et al., 2017): regions are classified and drawn at once, by maps that know a region's parts."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models.detection.transform import resize_boxes
from torchvision.ops import clip_boxes_to_image

from src.data.sample import Instances
from src.model.detector.rcnn import Rcnn, Size
from src.model.detector.resize import Resize

Regions = tuple[Tensor, Tensor, Tensor]  # of one image: boxes [n 4], scores [n k] without background, masks [n m m]


class FCIS(Rcnn):
    """Proposals, and one branch without a layer of its own for any region, whose maps are of the whole image.

    In evaluation each box that was corrected is a region again, and all of them vote on the masks of those that are
    told. FCIS+++ sees the image at several sizes and mirrored, too, and all those regions vote.
    """

    masks = True

    def __init__(
        self,
        box: Callable[..., nn.Module],
        iterations: int = 2,
        test_sizes: Sequence[int] | None = None,
        flip: bool = False,
        max_size: int | None = None,
        **parts: Any,
    ) -> None:
        """Complete the parts.

        Args:
            box: `box(channels=, out_channels=)` builds the branch, an `InsideOutside`.
            iterations: times that an image's regions are seen in evaluation, each at the boxes the last one gave.
            test_sizes: shorter sides in pixels at which evaluation sees an image, each once; None for min_size's last.
            flip: whether evaluation sees an image mirrored as well.
            max_size: of an image's longer side, at any of them.
            parts: see `Rcnn`.

        Raises:
            ValueError: the neck wants to see each region by itself, or the parts don't fit.
        """
        bound = max_size if parts.get("min_size") or not test_sizes else None
        super().__init__(box=box, max_size=bound, **parts)
        if not isinstance(self.neck.stage, nn.Identity):
            raise ValueError(
                "model=fcis has no layer for a region, and model/neck=c4 gives it one: take model/neck=rfcn, fpn or dc5"
            )
        self.branches = ("box",)
        self.iterations, self.mirrored = iterations, (False, True) if flip else (False,)
        divisor = max(self.backbone.reductions)
        sizes = [Resize(side, max_size, divisor, self.resize.statistics) for side in test_sizes or ()]
        self.views = nn.ModuleList(sizes or [self.resize])

    def forward(
        self,
        images: Sequence[Float[Tensor, "c _ _"]] | Float[Tensor, "b c h w"],
        targets: Sequence[Instances] | None = None,
        sizes: Sequence[Size] | None = None,
    ) -> dict[str, Any] | list[Instances]:
        """In training the terms of the loss, in evaluation the objects of each image; see `Rcnn`."""
        if self.training:
            return super().forward(images, targets)
        sizes = sizes or [tuple(image.shape[-2:]) for image in images]
        views = [self._regions(images, sizes, resize, mirrored) for resize in self.views for mirrored in self.mirrored]
        return [
            self.box.found(*(torch.cat(part) for part in zip(*regions, strict=True)), size)
            for regions, size in zip(zip(*views, strict=True), sizes, strict=True)
        ]

    def _terms(
        self, features: dict[str, Tensor], proposals: list[Tensor], targets: list[dict[str, Tensor]]
    ) -> dict[str, Any]:
        return self.box.terms(self.cuts["box"], self._maps(features), proposals, targets)

    def _regions(
        self, images: Sequence[Tensor] | Tensor, sizes: Sequence[Size], resize: Resize, mirrored: bool
    ) -> list[Regions]:
        """Those that one look at the images gives, in pixels of `sizes`."""
        batch, _ = resize([image.flip(-1) for image in images] if mirrored else images)
        features = self._levels(batch.tensors)
        boxes, _ = self.rpn(batch, dict(islice(features.items(), self.neck.levels)))
        maps, rounds = self._maps(features), []
        for _ in range(self.iterations):
            logits, masks, corrections = self.box.seen(self.cuts["box"], maps, boxes)
            scores, counts = logits.softmax(1)[:, 1:], [len(box) for box in boxes]
            best = scores.argmax(1) + 1  # a region votes with the mask of its likeliest class
            drawn = masks[torch.arange(len(best), device=best.device), best].sigmoid()
            rounds.append(zip(boxes, scores.split(counts), drawn.split(counts), strict=True))
            moved = self.box.box_coder.decode(corrections, boxes)[:, 0].split(counts)
            boxes = [clip_boxes_to_image(box, shape) for box, shape in zip(moved, batch.image_sizes, strict=True)]
        found = []
        for regions, shape, size in zip(zip(*rounds, strict=True), batch.image_sizes, sizes, strict=True):
            box, score, mask = (torch.cat(part) for part in zip(*regions, strict=True))
            placed = resize_boxes(box, shape, size), score, mask
            found.append(_unmirrored(*placed, size[1]) if mirrored else placed)
        return found

    def _maps(self, features: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Of the scores and of the corrections, from the map that the neck has for regions, or its finest."""
        return self.box(features.get("regions", next(iter(features.values()))))


def _unmirrored(boxes: Tensor, scores: Tensor, masks: Tensor, width: int) -> Regions:
    x0, y0, x1, y1 = boxes.unbind(1)
    return torch.stack([width - x1, y0, width - x0, y1], 1), scores, masks.flip(-1)
