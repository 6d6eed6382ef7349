"""SDS, simultaneous detection and segmentation (Hariharan et al., 2014), its masks refined by hypercolumns (2015)."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection.transform import resize_boxes

from src.data.sample import Instances
from src.model.detector.foreground import Foreground
from src.model.detector.paste import paste
from src.model.detector.pathways import judged
from src.model.detector.rcnn import Rcnn, Size

SCORES = "hypercolumn"  # the level, beyond the neck's, that holds the classifiers' scores


class SDS(Rcnn):
    """Regions are proposed, classified by two pathways, of their box and of their foreground, and drawn anew.

    The paper's regions come from MCG, which is neither differentiable nor to be had in Python: here a proposal network
    finds the boxes and a small branch the region in each of them. As MCG's they are given: no gradient of what is made
    of a region reaches the region. Features are shared between the boxes of an image, and the SVMs are a softmax.
    """

    masks = True

    def __init__(
        self,
        roi: Callable[..., nn.Module],
        mask: Callable[..., nn.Module],
        refine: Callable[..., nn.Module],
        *,
        out_channels: int,
        **parts: Any,
    ) -> None:
        """Complete the parts.

        Args:
            roi: see `Rcnn`; cells are of the box's `size`.
            mask: `mask(channels=, cells=)` builds the branch for regions.
            refine: `refine(channels=, reductions=, out_channels=)` builds what draws objects by hypercolumns.
            out_channels: classes without background.
            parts: see `Rcnn`; `box` judges two pathways.

        Raises:
            ValueError: the parts don't fit one another.
        """
        super().__init__(roi=roi, out_channels=out_channels, **parts)
        channels, reductions = list(self.backbone.channels), list(self.backbone.reductions)
        self.mask = mask(channels=self.neck.channels, cells=self.cuts["box"].size)
        self.refine = refine(channels=channels, reductions=reductions, out_channels=out_channels)
        self.foreground, self.mask_stage = Foreground(self.neck.channels), deepcopy(self.neck.stage)
        self.branches = ("mask",)

    def _levels(self, image: Tensor) -> dict[str, Tensor]:
        features = self.backbone(image)
        return self.neck(features) | {SCORES: self.refine.scores(features)}

    def _terms(
        self, features: dict[str, Tensor], proposals: list[Tensor], targets: list[dict[str, Tensor]]
    ) -> dict[str, Any]:
        boxes, index, labels, deltas = self.box.select_training_samples(proposals, targets)
        regions, logits, moves, said = self._said(features, boxes)
        terms, every = self.box.terms(logits, moves, labels, deltas), torch.cat(labels)
        held = [label > 0 for label in labels]
        boxes, index = ([part[which] for part, which in zip(parts, held, strict=True)] for parts in (boxes, index))
        regions, classes = regions[every > 0], every[every > 0]
        wanted = self.mask.wanted(boxes, index, targets)
        terms["class"] = terms["class"] + judged(said, every, self.mask.overlap(regions, wanted, boxes, index, targets))
        drawn = self.refine(features[SCORES], boxes, classes)
        finer = _resized(wanted, self.refine.size)
        return terms | {"mask": (torch.cat([_resized(regions, self.refine.size), drawn]), torch.cat([finer, finer]))}

    def _found(
        self, features: dict[str, Tensor], proposals: list[Tensor], shapes: Sequence[Size], sizes: Sequence[Size]
    ) -> list[Instances]:
        _, _, moves, said = self._said(features, proposals)
        boxes, scores, labels = self.box.postprocess_detections(said, moves, proposals, shapes)
        drawn = self.refine(features[SCORES], boxes, torch.cat(labels)).sigmoid().split([len(box) for box in boxes])
        found = []
        for i, (shape, size) in enumerate(zip(shapes, sizes, strict=True)):
            placed = resize_boxes(boxes[i], shape, size)
            found.append(Instances(placed, labels[i] - 1, paste(drawn[i], placed, size), scores=scores[i]))
        return found

    def _said(self, features: dict[str, Tensor], boxes: list[Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits of the regions, of the boxes' classes, their corrections, and logits of the regions' classes."""
        cells = self.cuts["box"](features, boxes)
        regions = self.mask(cells)
        inside = _resized(regions.sigmoid(), cells.shape[-1])
        masked = self.foreground(cells, (inside >= self.mask.threshold).to(cells)[:, None])
        return regions, *self.box(self.neck.stage(cells), self.mask_stage(masked))


def _resized(masks: Tensor, size: int) -> Tensor:
    return F.interpolate(masks[:, None], (size, size), mode="bilinear")[:, 0]
