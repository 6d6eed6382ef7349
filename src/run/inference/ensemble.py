"""Several views of an image, by one checkpoint or several, made into one answer."""

from collections.abc import Iterator, Sequence
from itertools import product

import torch
from jaxtyping import Float, Integer, Num
from torch import Tensor

from src.run.inference.combine import RULES, mean
from src.run.inference.member import Member

_SAME = ("classes", "channels", "value_range", "multilabel")  # what checkpoints must agree in


class Ensemble:
    """Logits of images: those of the one network, or of what members, scales and mirroring say together.

    A single view goes through untouched, so that it answers as an evaluation does, to the last pixel. Scales and
    mirroring are averaged within a member; `combine` is about the members. Outputs are taken one at a time.
    """

    def __init__(
        self,
        members: Sequence[Member],
        scales: Sequence[float | int] = (1.0,),
        mirror: bool = False,
        combine: str = "mean",
    ) -> None:
        """Put members of the same classes together.

        Args:
            scales: of the image that the networks see, relative to what they were trained for.
            mirror: whether the mirrored image is seen as well.
            combine: what becomes of the members' probabilities, or of those of each class against its absence where
                masks overlap: mean, product, max or vote, see `src.run.inference.combine`.

        Raises:
            ValueError: there is no scale, one is not above 0, no such rule, or the members were made for different
                data.
        """
        if not scales or any(not scale > 0 for scale in scales):
            raise ValueError(f"scales={list(scales)}: give one number or more, each above 0, such as [0.75,1,1.25]")
        if combine not in RULES:
            raise ValueError(f"combine={combine}: say one of {', '.join(RULES)}")
        self.description = members[0].task.description
        for index, member in enumerate(members[1:], 2):
            for fact in _SAME:
                first, other = getattr(self.description, fact), getattr(member.task.description, fact)
                if first != other:
                    raise ValueError(f"ckpt: number 1 was made for {fact} {first}, number {index} for {other}")
        self.members, self.combine = list(members), combine
        self._views = list(product(scales, (False, True) if mirror else (False,)))
        self.sizes = [member.size for member in members]
        self._task = members[0].task
        # Where masks overlap, a vote is for a class from the threshold on, and more than half of them decide.
        voting = combine == "vote" and self.description.multilabel
        self._middle = float(torch.tensor(self._task.threshold).logit(eps=1e-6)) if voting else 0.0

    def __call__(self, images: Num[Tensor, "b c i j"], size: tuple[int, int]) -> Float[Tensor, "b k h w"]:
        """Logits at `size` of images in the file's own type and range."""
        if len(self.members) == len(self._views) == 1:
            ((scale, flip),) = self._views
            return self.members[0](images, size, scale, flip)
        members = (self._seen(member, images, size) for member in self.members)
        together = next(members) if len(self.members) == 1 else RULES[self.combine](members)
        return together[:, 1] - together[:, 0] + self._middle if self.description.multilabel else together

    def _seen(self, member: Member, images: Tensor, size: tuple[int, int]) -> Tensor:
        """Logits over the answers of one member: [b k h w], or [b 2 k h w], no and yes, where masks overlap."""

        def outputs() -> Iterator[Tensor]:
            for scale, flip in self._views:
                output = member(images, size, scale, flip).float() - self._middle
                yield torch.stack([torch.zeros_like(output), output], 1) if self.description.multilabel else output

        return next(outputs()) if len(self._views) == 1 else mean(outputs())

    def probabilities(self, logits: Float[Tensor, "b k h w"]) -> Float[Tensor, "b k h w"]:
        """In single precision; they sum to 1 over the classes, unless masks overlap."""
        return logits.float().sigmoid() if self.description.multilabel else logits.float().softmax(1)

    def mixable(self, logits: Float[Tensor, "b k h w"]) -> Float[Tensor, "b k h w"]:
        """What may be averaged: probabilities."""
        return self.probabilities(logits)

    def unmixed(self, probabilities: Float[Tensor, "b k h w"]) -> Float[Tensor, "b k h w"]:
        """What `probabilities` gives those probabilities for."""
        return probabilities.logit() if self.description.multilabel else probabilities.log()

    def answer(self, logits: Float[Tensor, "b k h w"]) -> Integer[Tensor, "b h w"] | Integer[Tensor, "b k h w"]:
        """Class per pixel, or 0 and 1 per class where masks overlap, by the first checkpoint's threshold."""
        return self._task.answer(logits)
