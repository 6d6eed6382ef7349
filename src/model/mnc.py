"""Multi-task network cascades (Dai et al., 2016): boxes, then their masks, then the classes of what the masks hold."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection.transform import resize_boxes
from torchvision.ops import clip_boxes_to_image

from src.data.sample import Instances
from src.model.detector.differentiable import clipped
from src.model.detector.merge import merged
from src.model.detector.pathways import judged
from src.model.detector.rcnn import Rcnn, Size


class Said(NamedTuple):
    """Of the regions of all images, after one another."""

    masks: Float[Tensor, "n m m"]  # logits
    logits: Float[Tensor, "n k"]  # of the box's classes, background first
    deltas: Float[Tensor, "n 4*k"]
    region: Float[Tensor, "n k"]  # logits of the mask's classes


class MNC(Rcnn):
    """A cascade of three stages, each of which sees what the one before it says; with five, two of them come again.

    Boxes carry gradients: with `model/roi=warp` a mask's loss corrects the box it is drawn in.
    """

    masks = True

    def __init__(
        self,
        roi: Callable[..., nn.Module],
        mask: Callable[..., nn.Module],
        stages: int = 5,
        merge: float = 0.5,
        clip: float = 1 / 512,
        **parts: Any,
    ) -> None:
        """Complete the parts.

        Args:
            roi: see `Rcnn`; cells are of the box's `size`.
            mask: `mask(channels=, cells=)` builds the branch for masks.
            stages: 3, or 5, where the third stage's boxes go through the second and the third again, same weights.
            merge: IoU from which the masks of two boxes are averaged.
            clip: no number of a box's correction gets a larger gradient from the stages after it, shared by the images;
                the authors', of one image at a time, is 1/512.
            parts: see `Rcnn`; `box` judges two pathways.

        Raises:
            ValueError: the parts don't fit one another.
        """
        super().__init__(roi=roi, **parts)
        self.mask = mask(channels=self.neck.channels, cells=self.cuts["box"].size)
        self.mask_stage = deepcopy(self.neck.stage)  # C4's, for the second pathway
        self.branches = ("mask",)
        self.rounds, self.merge, self.clip = (stages - 1) // 2, merge, clip

    def _terms(
        self, features: dict[str, Tensor], proposals: list[Tensor], targets: list[dict[str, Tensor]]
    ) -> dict[str, Any]:
        boxes, index, labels, _ = self.box.select_training_samples(proposals, targets)
        found = []
        for left in reversed(range(self.rounds)):
            said = self._said(features, boxes)
            found.append(self._priced(said, boxes, index, labels, targets))
            if left:
                moved = self._moved(said, boxes, [target["masks"].shape[-2:] for target in targets])
                boxes, index, labels = self._matched(moved, targets)
        summed = {name: sum(terms[name] for terms in found) for name in ("class", "box")}
        return summed | {"mask": tuple(torch.cat(parts) for parts in zip(*(t["mask"] for t in found), strict=True))}

    def _found(
        self, features: dict[str, Tensor], proposals: list[Tensor], shapes: Sequence[Size], sizes: Sequence[Size]
    ) -> list[Instances]:
        boxes, rounds = proposals, []
        for _ in range(self.rounds):
            said, counts = self._said(features, boxes), [len(box) for box in boxes]
            masks, scores = said.masks.sigmoid(), said.region.softmax(1)[:, 1:]
            rounds.append((boxes, masks.split(counts), scores.split(counts)))
            boxes = self._moved(said, boxes, shapes)
        found = []
        for i, (shape, size) in enumerate(zip(shapes, sizes, strict=True)):
            place, mask, score = (torch.cat([part[i] for part in parts]) for parts in zip(*rounds, strict=True))
            found.append(self._merged(mask, resize_boxes(place, shape, size), score, size))
        return found

    def _said(self, features: dict[str, Tensor], boxes: list[Tensor]) -> Said:
        cells = self.cuts["box"](features, boxes)
        masks = self.mask(cells)
        inside = F.interpolate(masks.sigmoid()[:, None], cells.shape[-2:], mode="bilinear")
        return Said(masks, *self.box(self.neck.stage(cells), self.mask_stage(cells * inside)))

    def _priced(
        self,
        said: Said,
        boxes: list[Tensor],
        index: list[Tensor],
        labels: list[Tensor],
        targets: list[dict[str, Tensor]],
    ) -> dict[str, Any]:
        """The terms of one round."""
        boxes = [box.detach() for box in boxes]  # targets are no way back
        right = [_at(target["boxes"].to(box), which) for target, box, which in zip(targets, boxes, index, strict=True)]
        terms = self.box.terms(said.logits, said.deltas, labels, self.box.box_coder.encode(right, boxes))
        held, every = [label > 0 for label in labels], torch.cat(labels)
        masks, boxes, index = said.masks[every > 0], _only(boxes, held), _only(index, held)
        wanted = self.mask.wanted(boxes, index, targets)
        region = judged(said.region, every, self.mask.overlap(masks, wanted, boxes, index, targets))
        return terms | {"class": terms["class"] + region, "mask": (masks, (wanted >= self.mask.threshold).float())}

    def _moved(self, said: Said, boxes: list[Tensor], shapes: Sequence[Size]) -> list[Tensor]:
        """Each box as the best class of its mask corrects it."""
        best = said.region[:, 1:].argmax(1) + 1
        deltas = said.deltas.unflatten(1, (-1, 4))[torch.arange(len(best), device=best.device), best]
        moved = self.box.box_coder.decode(clipped(deltas, self.clip / len(boxes)), boxes).flatten(0, 1)
        parts = moved.split([len(box) for box in boxes])
        return [clip_boxes_to_image(part, shape) for part, shape in zip(parts, shapes, strict=True)]

    def _matched(
        self, boxes: list[Tensor], targets: list[dict[str, Tensor]]
    ) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Boxes and those of the objects, with the object and the class of each; all are learned from."""
        right = [target["boxes"].to(box) for target, box in zip(targets, boxes, strict=True)]
        boxes = self.box.add_gt_proposals(boxes, right)
        with torch.no_grad():
            index, labels = self.box.assign_targets_to_proposals(boxes, right, [target["labels"] for target in targets])
        known = [label >= 0 for label in labels]  # neither an object's nor background
        return _only(boxes, known), _only(index, known), _only(labels, known)

    def _merged(self, masks: Tensor, boxes: Tensor, scores: Tensor, size: Size) -> Instances:
        box = self.box
        return merged(
            masks,
            boxes,
            scores,
            size,
            score=box.score_thresh,
            nms=box.nms_thresh,
            merge=self.merge,
            threshold=self.mask.threshold,
            detections=box.detections_per_img,
        )


def _only(parts: Sequence[Tensor], chosen: Sequence[Tensor]) -> list[Tensor]:
    return [part[which] for part, which in zip(parts, chosen, strict=True)]


def _at(boxes: Tensor, index: Tensor) -> Tensor:
    """Those boxes; of an image without objects, whose regions are all background, nothing in particular."""
    return boxes[index] if len(boxes) else boxes.new_zeros(len(index), 4)
