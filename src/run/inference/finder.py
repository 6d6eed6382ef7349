"""A detector with a checkpoint's weights, run on images exactly as an evaluation runs it on a split."""

from collections.abc import Sequence

import torch
from jaxtyping import Num
from lightning import Fabric
from torch import Tensor
from torch.utils._pytree import tree_map_only

from src.data.sample import Batch, Instances
from src.data.transform.fit import extent, resized
from src.task.instance import Instance


class Finder:
    """Images to objects, best first: those that score enough, at most so many of an image."""

    def __init__(
        self, task: Instance, size: Sequence[int] | None, fabric: Fabric, score_threshold: float | int, top_k: int
    ) -> None:
        """Put the task on the device.

        Args:
            task: with its weights.
            size: height and width that images are resized to before; None leaves them alone.
            fabric: knows device and precision.
            score_threshold: objects below it are left out.
            top_k: how many of the rest are kept.
        """
        self.task = task.to(fabric.device).eval()
        self.size = None if size is None else extent("data.size", size)
        self._fabric, self._threshold, self._top_k = fabric, score_threshold, top_k

    @torch.inference_mode()
    def __call__(self, images: Num[Tensor, "b c i j"], size: tuple[int, int]) -> list[Instances]:
        """Objects of each image in pixels of `size`, in main memory.

        Args:
            images: of the file's own type and range.
            size: height and width that boxes, masks and keypoints are given in.
        """
        seen = self.size or tuple(images.shape[-2:])
        image = torch.stack([resized(image, seen) for image in images])
        batch = Batch(image=image, size=[size] * len(image), extent=[seen] * len(image))
        batch = self.task.on_after_batch_transfer(batch.to(self.task.device), 0)
        with self._fabric.autocast():
            found = self.task.answer(self.task(batch))
        return [self._kept(objects) for objects in found]

    def _kept(self, objects: Instances) -> Instances:
        assert objects.scores is not None
        order = objects.scores.argsort(descending=True, stable=True)
        order = order[objects.scores[order] >= self._threshold][: self._top_k]
        return tree_map_only(Tensor, Tensor.cpu, objects.only(order))
