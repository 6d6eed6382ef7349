"""Copy-paste: objects of one image put into another (Ghiasi et al., 2021)."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Num
from torch import Tensor
from torchvision import tv_tensors

from src.data.box import box
from src.data.description import Description
from src.data.sample import Instances, Sample, dense
from src.data.transform.moved import moved
from src.data.transform.span import Span
from src.data.transform.view import View


class CopyPaste:
    """Two samples, augmented one by one, and objects of the second in the first; crowds stay where they are.

    What is pasted hides what lies behind it: masks lose those pixels, boxes are taken anew, areas shrink as the masks
    do, and keypoints there are no longer visible. A semantic mask takes the pasted objects' pixels as well. Where the
    two differ in size, the second is cut or filled up at its right and bottom.

    - augment: `augment(size=, description=)` builds what is done to both before.
    - paste: probability that an object is pasted; each is drawn by itself.
    - hidden: share of an object above which it is dropped when so much of it is hidden.

    All randomness is torch's global generator.

    Raises:
        ValueError: an argument that is out of range, or a sample that has no masks of objects, or further fields,
            which nobody could paste.
    """

    partners = 1  # other samples that are needed, beside the one

    def __init__(
        self,
        augment: Callable[..., Callable[[Sample], Sample]],
        *,
        size: Sequence[int] | None,
        description: Description,
        paste: float = 0.5,
        hidden: float = 0.8,
    ) -> None:
        for name, share in {"paste": paste, "hidden": hidden}.items():
            if not 0 <= share <= 1:
                raise ValueError(f"{name}={share} lies outside 0 (none) to 1 (all)")
        self.augment = augment(size=size, description=description)
        self.paste, self.hidden = paste, hidden

    def __call__(self, sample: Sample, other: Sample) -> Sample:
        for each in (sample, other):
            if each.instances is None or each.instances.masks is None:
                raise ValueError(f"transform=copy_paste cuts objects out by their masks, and {each.name!r} has none")
            if further := [name for name in dense(each) if name != "mask"]:
                raise ValueError(f"transform=copy_paste cannot paste the {further[0]} that {each.name!r} has")
        sample, other = self.augment(sample), self.augment(other)
        return self._pasted(sample, _as_large(other, tuple(sample.image.shape[-2:])))

    def _pasted(self, sample: Sample, other: Sample) -> Sample:
        chosen = torch.rand(len(other.instances)) < self.paste
        if other.instances.crowd is not None:
            chosen &= ~other.instances.crowd
        objects = other.instances.only(chosen)
        if len(objects) == 0:
            return sample
        covered = torch.from_numpy(objects.masks.numpy().any(0))
        parts = (_behind(sample.instances, covered, self.hidden), objects)
        return replace(
            sample,
            image=tv_tensors.Image(_chosen(covered, other.image, sample.image)),
            mask=None if sample.mask is None else tv_tensors.Mask(_chosen(covered, other.mask, sample.mask)),
            instances=Instances(**{name: _joined(*(getattr(part, name) for part in parts)) for name in vars(objects)}),
        )


def _chosen(where: Bool[Tensor, "h w"], first: Num[Tensor, "*c h w"], second: Num[Tensor, "*c h w"]) -> Tensor:
    """The first where it is true, the second elsewhere; by NumPy, as torch 2.11 does not select uint16."""
    return torch.from_numpy(np.where(where.numpy(), first.numpy(), second.numpy()))


def _behind(objects: Instances, covered: Bool[Tensor, "h w"], hidden: float) -> Instances:
    """What of the objects is left where others cover them."""
    masks = objects.masks & ~covered
    left = _counts(masks) / _counts(objects.masks)
    boxes = torch.tensor([box(mask) for mask in masks.numpy()], dtype=torch.float32).reshape(-1, 4)
    seen = replace(
        objects,
        boxes=boxes,
        masks=masks,
        keypoints=None if objects.keypoints is None else _hidden(objects.keypoints, covered),
        areas=None if objects.areas is None else objects.areas * left,
    )
    return seen.only((left > 0) & (left >= 1 - hidden))


def _counts(masks: Bool[Tensor, " n h w"]) -> Float[Tensor, " n"]:
    """Pixels of each; by NumPy, which takes a tenth of torch's time."""
    return torch.from_numpy(np.count_nonzero(masks.numpy(), axis=(1, 2))).float()


def _hidden(keypoints: Float[Tensor, " n k 3"], covered: Bool[Tensor, "h w"]) -> Float[Tensor, " n k 3"]:
    """Visible ones become labelled but hidden where something covers them."""
    x, y = keypoints[..., :2].long().unbind(-1)
    seen = torch.where(covered[y, x], keypoints[..., 2].clamp(max=1), keypoints[..., 2])
    return torch.cat([keypoints[..., :2], seen[..., None]], -1)


def _joined(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    return None if first is None or second is None else torch.cat([first, second])


def _as_large(sample: Sample, size: tuple[int, int]) -> Sample:
    """The sample cut or filled up at its right and bottom."""
    if sample.image.shape[-2:] == size:
        return sample
    view = View(*(Span.of(old, new, 0, new) for old, new in zip(sample.image.shape[-2:], size, strict=True)))
    return replace(
        sample,
        image=view.framed(view.image(sample.image.as_subclass(Tensor)), 0),  # none of this is pasted
        mask=None if sample.mask is None else view.field(sample.mask),
        instances=moved(sample.instances, view, (), 1),
    )
