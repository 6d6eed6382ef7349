"""Several views of an image, by one checkpoint or several, averaged into one answer."""

from collections.abc import Sequence
from functools import reduce

import torch
from jaxtyping import Float, Integer, Num
from torch import Tensor

from src.run.inference.member import Member

_SAME = ("classes", "channels", "value_range", "multilabel")  # what checkpoints must agree in


class Ensemble:
    """Logits of images: those of the one network, or of the probabilities averaged over members, scales and mirroring.

    A single view goes through untouched, so that it answers as an evaluation does, to the last pixel.
    """

    def __init__(self, members: Sequence[Member], scales: Sequence[float | int] = (1.0,), mirror: bool = False) -> None:
        """Put members of the same classes together.

        Args:
            scales: of the image that the networks see, relative to what they were trained for.
            mirror: whether the mirrored image is seen as well.

        Raises:
            ValueError: there is no scale, one is not above 0, or the members were made for different data.
        """
        if not scales or any(not scale > 0 for scale in scales):
            raise ValueError(f"scales={list(scales)}: give one number or more, each above 0, such as [0.75,1,1.25]")
        self.description = members[0].task.description
        for index, member in enumerate(members[1:], 2):
            for fact in _SAME:
                first, other = getattr(self.description, fact), getattr(member.task.description, fact)
                if first != other:
                    raise ValueError(f"ckpt: number 1 was made for {fact} {first}, number {index} for {other}")
        self._views = [
            (member, scale, flip) for member in members for scale in scales for flip in ((False, True)[: 1 + mirror])
        ]
        self.sizes = [member.size for member in members]
        self._task = members[0].task

    def __call__(self, images: Num[Tensor, "b c i j"], size: tuple[int, int]) -> Float[Tensor, "b k h w"]:
        """Logits at `size` of images in the file's own type and range."""
        outputs = (member(images, size, scale, flip) for member, scale, flip in self._views)
        if len(self._views) == 1:
            return next(outputs)
        return self.logits(reduce(torch.Tensor.add_, map(self.probabilities, outputs)) / len(self._views))

    def probabilities(self, logits: Float[Tensor, "b k h w"]) -> Float[Tensor, "b k h w"]:
        """In single precision; they sum to 1 over the classes, unless masks overlap."""
        return logits.float().sigmoid() if self.description.multilabel else logits.float().softmax(1)

    def logits(self, probabilities: Float[Tensor, "b k h w"]) -> Float[Tensor, "b k h w"]:
        """What `probabilities` gives those probabilities for."""
        return probabilities.logit() if self.description.multilabel else probabilities.log()

    def answer(self, logits: Float[Tensor, "b k h w"]) -> Integer[Tensor, "b h w"] | Integer[Tensor, "b k h w"]:
        """Class per pixel, or 0 and 1 per class where masks overlap, by the first checkpoint's threshold."""
        return self._task.answer(logits)
