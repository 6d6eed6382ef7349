"""What Faster R-CNN and all that grew on it share: regions are proposed, cut out, and seen by one branch each."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models.detection.transform import resize_boxes

from src.data.sample import Instances
from src.model.detector.resize import Resize
from src.model.interface import Backbone

Size = tuple[int, int]  # height and width


class Rcnn(nn.Module):
    """A `Detector` with the branch for boxes; `_add` gives it others."""

    masks = False

    def __init__(
        self,
        backbone: Callable[..., Backbone],
        neck: Callable[..., nn.Module],
        roi: Callable[..., nn.Module],
        rpn: Callable[..., nn.Module],
        box: Callable[..., nn.Module],
        min_size: int | Sequence[int] | None = None,
        max_size: int | None = None,
        *,
        in_channels: int,
        out_channels: int,
    ) -> None:
        """Complete the parts.

        Args:
            backbone: `backbone(in_channels=)` builds a `Backbone`.
            neck: `neck(backbone=)` builds what makes levels of its features, and publishes their `channels`,
                `reductions` and number of `levels`; `stage` sees each region that was cut out, divides its sides by
                `stride` and gives `out_channels`.
            roi: `roi(size=, reductions=)` builds what cuts regions out.
            rpn: `rpn(channels=, levels=)` builds what proposes them.
            box: `box(channels=, out_channels=)` builds the branch for boxes.
            min_size: the shorter side of an image, in pixels, or several of which training draws one; None leaves
                images as they are.
            max_size: of the longer side; None for no bound.
            in_channels: of the image.
            out_channels: classes without background.

        Raises:
            ValueError: the neck cannot use the backbone, or the anchors don't suit the neck.
        """
        super().__init__()
        self.backbone = backbone(in_channels=in_channels)
        self.neck = neck(backbone=self.backbone)
        self.rpn = rpn(channels=self.neck.channels, levels=self.neck.levels)
        divisor, normalize = max(self.backbone.reductions), getattr(self.backbone, "normalize", None)
        self.resize = Resize(min_size, max_size, divisor, normalize)
        self.box = box(channels=self.neck.out_channels, out_channels=out_channels)
        # what a branch without a C4 stage would see: its strides are made up for
        cells = roi(size=self.box.size * self.neck.stride, reductions=self.neck.reductions)
        self.cuts = nn.ModuleDict({"box": cells})
        self.branches: tuple[str, ...] = ()

    def forward(
        self,
        images: Sequence[Float[Tensor, "c _ _"]] | Float[Tensor, "b c h w"],
        targets: Sequence[Instances] | None = None,
        sizes: Sequence[Size] | None = None,
    ) -> dict[str, Any] | list[Instances]:
        """In training the terms of the loss, in evaluation the objects of each image.

        Args:
            images: in [0, 1], of any sizes.
            targets: in training, the objects in pixels of their image.
            sizes: in evaluation, height and width in whose pixels the objects are told; None for the images' own.

        Raises:
            ValueError: a target lacks what a branch learns from, or a box is empty.
        """
        wanted = [self._wanted(objects) for objects in targets] if self.training else None
        batch, wanted = self.resize(images, wanted)
        features = self._levels(batch.tensors)
        proposals, terms = self.rpn(batch, dict(islice(features.items(), self.neck.levels)), wanted)
        if self.training:
            return terms | self._terms(features, proposals, wanted)
        sizes = sizes or [tuple(image.shape[-2:]) for image in images]
        return self._found(features, proposals, batch.image_sizes, sizes)

    def _levels(self, image: Tensor) -> dict[str, Tensor]:
        """Levels of the neck, and after them whatever the branches want to see besides."""
        return self.neck(self.backbone(image))

    def _add(self, name: str, branch: Callable[..., nn.Module], roi: Callable[..., nn.Module], count: int) -> None:
        """A branch of `count` maps for each object; the terms of its loss come under its name."""
        built = branch(channels=self.neck.out_channels, out_channels=count)
        self.add_module(name, built)
        self.cuts[name] = roi(size=built.size, reductions=self.neck.reductions)
        self.branches = (*self.branches, name)

    def _terms(
        self, features: dict[str, Tensor], proposals: list[Tensor], targets: list[dict[str, Tensor]]
    ) -> dict[str, Any]:
        boxes, index, labels, deltas = self.box.select_training_samples(proposals, targets)
        terms = self.box.terms(*self.box(self._cells("box", features, boxes)), labels, deltas)
        held = [label > 0 for label in labels]
        boxes = [box[which] for box, which in zip(boxes, held, strict=True)]
        index = [matched[which] for matched, which in zip(index, held, strict=True)]
        for name in self.branches:
            branch = self.get_submodule(name)
            terms[name] = branch.term(branch(self._cells(name, features, boxes)), boxes, index, targets)
        return terms

    def _found(
        self, features: dict[str, Tensor], proposals: list[Tensor], shapes: Sequence[Size], sizes: Sequence[Size]
    ) -> list[Instances]:
        logits, deltas = self.box(self._cells("box", features, proposals))
        boxes, scores, labels = self.box.postprocess_detections(logits, deltas, proposals, shapes)
        counts = [len(box) for box in boxes]
        seen = {
            name: self.get_submodule(name)(self._cells(name, features, boxes)).split(counts) for name in self.branches
        }
        found = []
        for i, (shape, size) in enumerate(zip(shapes, sizes, strict=True)):
            fields = {
                (branch := self.get_submodule(name)).field: branch.found(said[i], boxes[i], labels[i], shape, size)
                for name, said in seen.items()
            }
            placed = resize_boxes(boxes[i], shape, size)
            found.append(Instances(boxes=placed, labels=labels[i] - 1, scores=scores[i], **fields))
        return found

    def _cells(self, branch: str, features: dict[str, Tensor], boxes: list[Tensor]) -> Float[Tensor, "n c s s"]:
        """What a branch sees of each region."""
        return self.neck.stage(self.cuts[branch](features, boxes))

    def _wanted(self, objects: Instances) -> dict[str, Tensor]:
        """The objects as torchvision wants them, background counted as class 0."""
        boxes = objects.boxes.as_subclass(Tensor)
        empty = (boxes[:, 2:] <= boxes[:, :2]).any(1)
        if empty.any():
            raise ValueError(
                f"instances: the box {boxes[empty][0].tolist()} is empty, it needs x0 < x1 and y0 < y1: leave it out"
            )
        wanted = {"boxes": boxes, "labels": objects.labels.as_subclass(Tensor).long() + 1}
        fields = [self.get_submodule(name).field for name in self.branches]
        return wanted | {field: _given(vars(objects), field) for field in fields}


def _given(objects: Mapping[str, Tensor | None], field: str) -> Tensor:
    value = objects[field]
    if value is None:
        raise ValueError(f"the dataset has no {field}, and this model learns them: take model=faster_rcnn")
    value = value.as_subclass(Tensor)
    return value.to(torch.uint8) if value.dtype == torch.bool else value
