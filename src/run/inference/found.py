"""What was found in one image: as label image, class map and COCO's results, however large the image is."""

from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, UInt8, UInt16
from torch import Tensor

from src.data.description import UNKNOWN, Description
from src.data.sample import Instances
from src.metric.kept import encoded
from src.metric.painted import painted

_NOBODY = "background"  # the class of a pixel that belongs to no object, where there is one of that name


class Found:
    """Objects of an image, best first, number 1 the best. They may have been found in a smaller picture of it.

    Only one mask at a time is made as large as the image.
    """

    def __init__(self, objects: Instances, seen: tuple[int, int], size: tuple[int, int], description: Description):
        """Take objects with scores.

        Args:
            seen: height and width that they are measured in.
            size: of the image.
        """
        self.size, self._objects, self._seen, self._description = size, objects, seen, description
        self.names = [description.classes[label] for label in objects.labels.tolist()]

    def __len__(self) -> int:
        return len(self._objects)

    def at(self, size: tuple[int, int]) -> Instances:
        """The objects in pixels of another size."""
        objects, masks = self._objects, self._objects.masks
        scale = objects.boxes.new_tensor([size[1] / self._seen[1], size[0] / self._seen[0], 1.0])
        return Instances(
            boxes=objects.boxes * scale[[0, 1, 0, 1]],
            labels=objects.labels,
            masks=None if masks is None else _enlarged(masks, size),
            keypoints=None if objects.keypoints is None else objects.keypoints * scale,
            scores=objects.scores,
        )

    def mask(self, index: int) -> Bool[np.ndarray, "h w"]:
        """The pixels of an object; all those of its box where objects have no masks."""
        if self._objects.masks is not None:
            return _enlarged(self._objects.masks[index], self.size).numpy() > 0
        left, top, right, bottom = (round(max(0.0, edge)) for edge in self._boxes()[index].tolist())
        there = np.zeros(self.size, bool)
        there[top:bottom, left:right] = True
        return there

    def ids(self) -> UInt16[np.ndarray, "h w"]:
        """The number of each pixel's object, of several the best one's; 0 for none."""
        assert self._objects.masks is not None, "asked for pixels of objects that have none"
        ids = torch.zeros(self._seen, dtype=torch.int32)
        for index in reversed(range(len(self))):
            ids[self._objects.masks[index] > 0] = index + 1
        return _enlarged(ids, self.size).numpy().astype(np.uint16)

    def classes(self) -> UInt8[np.ndarray, "h w"]:
        """The class of each pixel, that of nobody is `background`, or 255 where there is no such class.

        Of several objects the smallest one's, as a map is scored (`src.metric.painted`).
        """
        assert self._objects.masks is not None, "asked for pixels of objects that have none"
        names = self._description.classes
        nobody = names.index(_NOBODY) if _NOBODY in names else UNKNOWN
        # the last is painted over those of the same size
        canvas = painted(self._objects.masks.flip(0), self._objects.labels.flip(0) + 1)
        return np.array([nobody, *range(len(names))], np.uint8)[_enlarged(canvas, self.size).numpy()]

    def counts(self) -> dict[str, int]:
        """How many there are of each countable class."""
        classes = self._description.classes
        return {classes[index]: self.names.count(classes[index]) for index in self._description.countable}

    def results(self) -> list[dict[str, Any]]:
        """COCO's results, but for what an annotation file numbers: images and categories.

        A box is [x, y, width, height], a mask is compressed run lengths, a keypoint is x, y and its score; x and y are
        0 at the centre of the first pixel there.
        """
        boxes = self._boxes()
        boxes[:, 2:] -= boxes[:, :2]
        keypoints, found = self._keypoints(), []
        for index, (box, score) in enumerate(zip(boxes.tolist(), self._objects.scores.tolist(), strict=True)):
            found.append({"category": self.names[index], "bbox": box, "score": score})
            if self._objects.masks is not None:
                runs = encoded(_enlarged(self._objects.masks[index : index + 1], self.size))[0]
                found[-1]["segmentation"] = {"size": list(self.size), "counts": runs["counts"].decode()}
            if keypoints is not None:
                found[-1]["keypoints"] = keypoints[index].flatten().tolist()
        return found

    def _keypoints(self) -> Tensor | None:
        """[n k 3] in pixels of the image, as COCO counts them."""
        if self._objects.keypoints is None:
            return None
        height, width = (side / other for side, other in zip(self.size, self._seen, strict=True))
        scale, shift = (torch.tensor(values, dtype=torch.float64) for values in ([width, height, 1], [0.5, 0.5, 0]))
        return self._objects.keypoints.double() * scale - shift

    def _boxes(self) -> Tensor:
        """[n 4] in pixels of the image."""
        height, width = (side / other for side, other in zip(self.size, self._seen, strict=True))
        return self._objects.boxes.double() * torch.tensor([width, height, width, height], dtype=torch.float64)


def _enlarged(masks: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps [... h w] at another size, by the nearest pixel."""
    old = masks.shape[-2:]
    if tuple(old) == size:
        return masks
    rows, columns = ((torch.arange(new) + 0.5).mul(was / new).long() for new, was in zip(size, old, strict=True))
    return masks[..., rows, :][..., columns]
