"""One checkpoint of an ensemble, run on images exactly as an evaluation runs it on a split."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Num
from lightning import Fabric
from torch import Tensor

from src.data.sample import Batch
from src.data.transform.fit import extent, resized
from src.task.task import Task


class Member:
    """A task, the size its network sees, and the device and precision it runs in."""

    def __init__(self, task: Task, size: Sequence[int] | None, fabric: Fabric) -> None:
        """Put the task on the device.

        Args:
            task: with its weights.
            size: height and width that images are resized to before; None leaves them alone.
            fabric: knows device and precision.
        """
        self.task = task.to(fabric.device).eval()
        self.size = None if size is None else extent("data.size", size)
        self._fabric = fabric

    def __call__(
        self, images: Num[Tensor, "b c i j"], size: tuple[int, int], scale: float | int = 1.0, mirror: bool = False
    ) -> Float[Tensor, "b k h w"]:
        """Logits at `size`, in the type that the precision gives; those of a mirrored image are turned back."""
        output = self.output(images, size, scale, mirror)
        return output.flip(-1) if mirror else output

    def output(
        self, images: Num[Tensor, "b c i j"], size: tuple[int, int], scale: float | int = 1.0, mirror: bool = False
    ) -> Any:
        """The task's raw output.

        Args:
            images: of the file's own type and range.
            size: height and width of the answer.
            scale: of the image that the network sees, relative to the one it was trained for.
            mirror: whether the network sees the image from behind, and the output is of what it sees.
        """
        height, width = self.size or images.shape[-2:]
        seen = (max(1, round(scale * height)), max(1, round(scale * width)))
        image = torch.stack([resized(image, seen) for image in images])
        batch = Batch(image=image.flip(-1) if mirror else image, size=[size] * len(image))
        batch = self.task.on_after_batch_transfer(batch.to(self.task.device), 0)
        with self._fabric.autocast():
            return self.task(batch)
