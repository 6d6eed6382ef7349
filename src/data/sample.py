"""What flows from disk to the loss: one image with everything known about it, and a batch of those."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Integer, Num
from torch import Tensor
from torch.utils import _pytree as pytree
from torchvision import tv_tensors

from src.data.field import VALUES

FIELDS = ("mask", "depth", "normals")  # dense targets: one value, or vector, per pixel


@dataclass(frozen=True)
class Instances:
    """The n objects of one image, annotated or predicted."""

    boxes: Float[Tensor, " n 4"]  # x0 y0 x1 y1, the edges of the pixels: 0 is the left edge of the first
    labels: Integer[Tensor, " n"]  # class index
    masks: Num[Tensor, " n h w"] | Bool[Tensor, " n h w"] | None = None
    # x, y in the measure of boxes; 0 not labelled, 1 labelled and hidden, 2 visible; of a prediction, how sure it is
    keypoints: Float[Tensor, " n k 3"] | None = None
    crowd: Bool[Tensor, " n"] | None = None  # a group, which is neither found nor missed
    areas: Float[Tensor, " n"] | None = None  # pixels, where the dataset counts otherwise than in masks
    scores: Float[Tensor, " n"] | None = None  # of predictions, 0 to 1

    def __len__(self) -> int:
        return len(self.labels)

    def only(self, chosen: Bool[Tensor, " n"] | Integer[Tensor, " m"]) -> "Instances":
        """Those objects that are true in `chosen`, or whose numbers it holds, in its order."""
        return Instances(**{name: None if part is None else _at(part, chosen) for name, part in vars(self).items()})


@dataclass(frozen=True)
class Sample:
    """One image and what is known about it; what is absent is None, and what is unknown is in band.

    `image` keeps the file's own type (uint8 where the file is) and range; `Description.value_range` says what its
    values mean. In evaluation the targets keep the size of the file, (i, j), whatever size (h, w) the network sees.
    Each dense field is a tv_tensor, so that torchvision.transforms.v2 takes and returns a whole Sample.
    """

    image: Num[Tensor, " c h w"]  # c = 3 is sRGB
    mask: Integer[Tensor, " i j"] | Integer[Tensor, " k i j"] | None = None  # class, or k overlapping; 255 unknown
    depth: Float[Tensor, " 1 i j"] | None = None  # metres along the optical axis, 0 unknown
    normals: Float[Tensor, " 3 i j"] | None = None  # unit, camera frame (x right, y down, z forward), 0 unknown
    values: dict[str, Float[Tensor, " _ i j"]] | None = None  # further fields, of those in `VALUES`; NaN unknown
    instances: Instances | None = None
    camera: Float[Tensor, " 3 3"] | None = None  # intrinsics, see `src.data.camera`
    name: str = ""  # where the file stands below its root, without the suffix
    size: tuple[int, int] = (0, 0)  # height and width of the file as displayed


@dataclass(frozen=True)
class Batch:
    """Samples side by side; images keep the file's type until they are on the device (see `Task`)."""

    image: Num[Tensor, " b c h w"]
    mask: Integer[Tensor, " b i j"] | Integer[Tensor, " b k i j"] | None = None
    depth: Float[Tensor, " b 1 i j"] | None = None
    normals: Float[Tensor, " b 3 i j"] | None = None
    values: dict[str, Float[Tensor, " b _ i j"]] | None = None
    instances: list[Instances] | None = None
    camera: Float[Tensor, " b 3 3"] | None = None
    name: Sequence[str] = ()
    size: Sequence[tuple[int, int]] = ()
    extent: Sequence[tuple[int, int]] = ()  # height and width of each image in `image`; the rest is padding

    def __len__(self) -> int:
        return len(self.image)

    def to(self, *args: Any, **kwargs: Any) -> "Batch":
        """The batch with every tensor moved, as `Tensor.to` moves one."""
        return self._map(lambda tensor: tensor.to(*args, **kwargs))

    def pin_memory(self) -> "Batch":
        """The batch in page-locked memory; the DataLoader calls this by name."""
        return self._map(lambda tensor: tensor.pin_memory())

    def _map(self, function: Any) -> "Batch":
        return pytree.tree_map_only(Tensor, function, self)


for _class in (Instances, Sample, Batch):
    pytree.register_dataclass(_class, field_names=[f.name for f in fields(_class)])


def collate(samples: Sequence[Sample]) -> Batch | None:
    """Stack samples into a batch; None where there are none.

    They need equal sizes, but for samples with instances, whose images are padded at their bottom and right.

    Raises:
        ValueError: two samples of one batch differ in a size; the message names both.
    """
    if not samples:
        return None
    first = samples[0]

    def stacked(field: str) -> Tensor | None:
        values = [part(sample, field) for sample in samples]
        if values[0] is None:
            return None
        for sample, value in zip(samples, values, strict=True):
            if value.shape != values[0].shape:
                raise ValueError(
                    f"{field} of {sample.name!r} has shape {tuple(value.shape)}, that of {first.name!r} "
                    f"{tuple(values[0].shape)}: one batch needs one size. Set data.size, or data.batch_size=1"
                )
        return torch.stack([value.as_subclass(Tensor) for value in values])

    extents = [tuple(sample.image.shape[-2:]) for sample in samples]
    return Batch(
        image=stacked("image") if first.instances is None else _padded([sample.image for sample in samples], extents),
        **{field: stacked(field) for field in FIELDS},
        values=None if first.values is None else {name: stacked(name) for name in first.values},
        instances=None if first.instances is None else [sample.instances for sample in samples],
        camera=stacked("camera"),
        name=[sample.name for sample in samples],
        size=[sample.size for sample in samples],
        extent=extents,
    )


def _padded(images: Sequence[Num[Tensor, " c _ _"]], extents: Sequence[tuple[int, int]]) -> Num[Tensor, " b c h w"]:
    """Images in the top left corners of a block that fits all of them."""
    height, width = (max(lengths) for lengths in zip(*extents, strict=True))
    if len(set(extents)) == 1:
        return torch.stack([image.as_subclass(Tensor) for image in images])
    block = images[0].as_subclass(Tensor).new_zeros(len(images), len(images[0]), height, width)
    for place, image in zip(block, images, strict=True):
        place[:, : image.shape[-2], : image.shape[-1]] = image
    return block


def _at(part: Tensor, chosen: Tensor) -> Tensor:
    found = part.as_subclass(Tensor)[chosen]
    return tv_tensors.wrap(found, like=part) if isinstance(part, tv_tensors.TVTensor) else found


def part(of: Sample | Batch, name: str) -> Any:
    """What a description calls by that name; None where it is absent."""
    return (of.values or {}).get(name) if name in VALUES else getattr(of, name)


def dense(sample: Sample) -> dict[str, Tensor]:
    """The dense targets that are present, by their names."""
    own = {name: getattr(sample, name) for name in FIELDS}
    return {name: value for name, value in own.items() if value is not None} | (sample.values or {})


def with_dense(sample: Sample, targets: dict[str, Tensor], **changes: Any) -> Sample:
    """The sample with those dense targets in the place of its own, and other changes."""
    own = {name: value for name, value in targets.items() if name not in VALUES}
    further = {name: value for name, value in targets.items() if name in VALUES}
    return replace(sample, **own, values=further or None, **changes)


def without(sample: Sample, *names: str) -> Sample:
    """The sample with those fields absent; a task asks for what it needs, the rest need not travel."""
    values = {name: value for name, value in (sample.values or {}).items() if name not in names}
    return replace(sample, **dict.fromkeys(set(names) - set(VALUES)), values=values or None)
