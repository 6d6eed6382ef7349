"""The branch that classifies, corrects and draws a region by the same maps (Li et al., 2017)."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection.roi_heads import RoIHeads, project_masks_on_boxes
from torchvision.ops import Conv2dNormActivation

from src.data.sample import Instances
from src.model.detector.merge import merged
from src.model.interface import Norm
from src.model.roi.position import Cut, position_sensitive

ALL = 1 << 30  # regions: none is left to chance, the hardest are chosen once all are priced
Said = tuple[Tensor, Tensor, Tensor]  # of n regions: logits [n k], of masks [n k m m], corrections [n 4]
STEPS = (5.0, 5.0, 2.0, 2.0)  # a correction's deviations are .2 of a box's place and .5 of the logarithm of its size


class Region(NamedTuple):
    """One image's regions that may be learned from."""

    boxes: Float[Tensor, "n 4"]  # pixels
    index: Int[Tensor, " n"]  # of the object that each may hold
    labels: Int[Tensor, " n"]  # its class, 0 for background
    deltas: Float[Tensor, "n 4"]  # what corrects the box

    def hardest(self, cost: Float[Tensor, " n"], count: int) -> "Region":
        """The costliest of them (Shrivastava et al., 2016), or all where they are fewer."""
        chosen = cost.topk(min(count, len(cost))).indices
        return Region(*(part[chosen] for part in self))


class InsideOutside(RoIHeads):
    """For each class, background's too, and each of the groups×groups parts of a region two maps: inside and outside.

    A cell likely belongs to the object if inside is larger, to the region alone if outside is, and to neither if both
    are low: the mean of the larger of both is the class's logit, and their softmax the mask. Its parent's
    `select_training_samples` and `box_coder` are used as they are.

    Args:
        width: channels of the 1×1 convolution before the maps.
        norm: of it; None for none, as published.
        groups: parts along each side of a region.
        size: cells along each side of a part; the mask has groups·size.
        samples: regions of each image that are learned from: those that cost most.
        balance: of class, mask and box in what a region costs, when the costliest are chosen.
        foreground, background: IoU from which a region holds an object, and below which it holds none.
        threshold: share of a cell, and then of what is said of a pixel, from which it is the object's.
        score: objects below it are not told.
        nms: IoU above which the worse of two regions of one class is dropped.
        merge: IoU from which a region has a vote in an object's mask; 1 for none but its own.
        detections: objects of an image that are told, at most.
        channels: of the map that regions are cut from.
        out_channels: classes without background.
    """

    field = "masks"  # of Instances, what it learns from and finds

    def __init__(
        self,
        width: int = 1024,
        norm: Norm | None = None,
        groups: int = 7,
        size: int = 3,
        samples: int = 128,
        balance: Sequence[float] = (1.0, 10.0, 1.0),
        foreground: float = 0.5,
        background: float = 0.5,
        threshold: float = 0.4,
        score: float = 0.001,
        nms: float = 0.3,
        merge: float = 0.5,
        detections: int = 100,
        *,
        channels: int,
        out_channels: int,
    ) -> None:
        super().__init__(None, None, None, foreground, background, ALL, 1.0, STEPS, score, nms, detections)
        self.groups, self.size, self.samples, self.balance = groups, size, samples, balance
        self.threshold, self.merge = threshold, merge
        self.shared = Conv2dNormActivation(channels, width, kernel_size=1, norm_layer=norm, bias=True)
        self.scores = nn.Conv2d(width, groups**2 * 2 * (out_channels + 1), kernel_size=1)
        self.corrections = nn.Conv2d(width, groups**2 * 2 * 4, kernel_size=1)  # background's too, unused
        for maps in (self.scores, self.corrections):
            nn.init.normal_(maps.weight, std=0.01)
            nn.init.zeros_(maps.bias)

    def forward(
        self, feature: Float[Tensor, "b c h w"]
    ) -> tuple[Float[Tensor, "b k2 _ h w"], Float[Tensor, "b k2 8 h w"]]:
        """Maps of the scores and of the corrections, those of each part side by side."""
        feature, parts = self.shared(feature), (self.groups**2, -1)
        return self.scores(feature).unflatten(1, parts), self.corrections(feature).unflatten(1, parts)

    def seen(self, cut: Cut, maps: tuple[Tensor, Tensor], boxes: Sequence[Float[Tensor, "_ 4"]]) -> Said:
        """Of each region the logits of the classes, those of a mask for each, and the correction of its box."""
        scores, corrections = (position_sensitive(cut, part, boxes) for part in maps)
        inside, outside = scores.unflatten(1, (-1, 2)).unbind(2)
        # the softmax of inside and outside is the sigmoid of their difference
        return torch.maximum(inside, outside).mean((2, 3)), inside - outside, corrections[:, 4:].mean((2, 3))

    def terms(
        self,
        cut: Cut,
        maps: tuple[Tensor, Tensor],
        proposals: Sequence[Float[Tensor, "_ 4"]],
        targets: Sequence[Mapping[str, Tensor]],
    ) -> dict[str, Any]:
        """`class`, `box` and `mask` of the costliest regions; the mask's are logits and what they ought to say.

        All are priced first, without gradients, so that memory and time go to those that are learned from.

        Args:
            cut: see `position_sensitive`.
            maps: what `forward` gives.
            proposals: of each image, in pixels.
            targets: `boxes`, `labels` (background is 0) and `masks` of each image's objects.
        """
        regions = _regions(*self.select_training_samples(list(proposals), targets))
        with torch.no_grad():
            cost = self._cost(self.seen(cut, maps, [region.boxes for region in regions]), regions, targets)
        parts = cost.split([len(region.boxes) for region in regions])
        regions = [region.hardest(part, self.samples) for region, part in zip(regions, parts, strict=True)]
        said = self.seen(cut, maps, [region.boxes for region in regions])
        number = max(1, len(said[0]))
        return {
            "class": self._classes(said, regions).sum() / number,
            "box": self._boxes(said, regions).sum() / number,
            "mask": self._masks(said, regions, targets),
        }

    def _cost(self, said: Said, regions: Sequence[Region], targets: Sequence[Mapping[str, Tensor]]) -> Tensor:
        """Of each region, with its classes, its mask and its box in balance."""
        classes, mask, box = self.balance
        cost = classes * self._classes(said, regions) + box * self._boxes(said, regions)
        unlike = F.binary_cross_entropy_with_logits(*self._masks(said, regions, targets), reduction="none")
        cost[_labels(regions) > 0] += mask * unlike.mean((1, 2))
        return cost

    def _classes(self, said: Said, regions: Sequence[Region]) -> Float[Tensor, " n"]:
        return F.cross_entropy(said[0], _labels(regions), reduction="none")

    def _boxes(self, said: Said, regions: Sequence[Region]) -> Float[Tensor, " n"]:
        held, wanted = _labels(regions) > 0, torch.cat([region.deltas for region in regions])
        wanted = torch.where(held[:, None], wanted, said[2].detach())  # it may be infinite where there is no object
        return F.smooth_l1_loss(said[2], wanted, reduction="none").sum(1)

    def _masks(
        self, said: Said, regions: Sequence[Region], targets: Sequence[Mapping[str, Tensor]]
    ) -> tuple[Float[Tensor, "m p p"], Float[Tensor, "m p p"]]:
        """Logits of the right class's mask where a region holds an object, and 1 where the object is."""
        labels, side, wanted = _labels(regions), self.groups * self.size, []
        for region, target in zip(regions, targets, strict=True):
            held = region.labels > 0
            covered = project_masks_on_boxes(target["masks"], region.boxes[held], region.index[held], side)
            wanted.append((covered >= self.threshold).float())
        return said[1][labels > 0, labels[labels > 0]], torch.cat(wanted)

    def found(
        self,
        boxes: Float[Tensor, "n 4"],
        scores: Float[Tensor, "n k"],
        masks: Float[Tensor, "n m m"],
        size: tuple[int, int],
    ) -> Instances:
        """One image's objects, the best first, by the vote of its regions.

        Args:
            boxes: of the regions, in pixels of an image of `size`.
            scores: of the classes without background.
            masks: probabilities inside each box.
            size: height and width.
        """
        return merged(
            masks,
            boxes,
            scores,
            size,
            score=self.score_thresh,
            nms=self.nms_thresh,
            merge=self.merge,
            threshold=self.threshold,
            detections=self.detections_per_img,
        )


def _regions(*parts: Sequence[Tensor]) -> list[Region]:
    return [Region(*own) for own in zip(*parts, strict=True)]


def _labels(regions: Sequence[Region]) -> Int[Tensor, " n"]:
    return torch.cat([region.labels for region in regions])
