"""Several views of an image, by one checkpoint or several, made into one answer of numbers."""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import torch
from jaxtyping import Float, Num
from torch import Tensor

from src.run.inference.field.color import Color
from src.run.inference.field.depth import Depth
from src.run.inference.field.field import Field
from src.run.inference.field.mask import Mask
from src.run.inference.field.normals import Normals
from src.run.inference.field.quantity import Quantity
from src.run.inference.member import Member
from src.task.colorization import Colorization
from src.task.depth import Depth as DepthTask
from src.task.joint import Joint
from src.task.normals import Normals as NormalsTask
from src.task.regression import Regression
from src.task.semantic import Semantic
from src.task.task import Task

_FIELDS: dict[type[Task], type[Field]] = {
    Colorization: Color,
    DepthTask: Depth,
    NormalsTask: Normals,
    Regression: Quantity,
    Semantic: Mask,
}
_SAME = ("channels", "value_range")  # what checkpoints must agree in


class Fused:
    """The values of all fields of an image side by side, [b k h w]: of one network, or the mean of several views.

    A single view goes through untouched, so that it answers as an evaluation does, to the last pixel.
    """

    def __init__(
        self,
        members: Sequence[Member],
        scales: Sequence[float | int] = (1.0,),
        mirror: bool = False,
        options: dict[str, Any] | None = None,
    ) -> None:
        """Put members of the same fields together.

        Args:
            scales: of the image that the networks see, relative to what they were trained for.
            mirror: whether the mirrored image is seen as well.
            options: conf/predict.yaml as plain containers, for the files; None where none are written.

        Raises:
            ValueError: there is no scale, one is not above 0, or the members were made for different data or fields.
        """
        if not scales or any(not scale > 0 for scale in scales):
            raise ValueError(f"scales={list(scales)}: give one number or more, each above 0, such as [0.75,1,1.25]")
        self.members, self.description = list(members), members[0].task.description
        self.sizes = [member.size for member in members]
        fields = [fields_of(member.task, options or {}) for member in members]
        for number, (member, others) in enumerate(zip(members[1:], fields[1:], strict=True), 2):
            _compare(number, _facts(members[0].task, fields[0]), _facts(member.task, others))
        self.fields = fields[0]
        self._views = list(product(zip(members, fields, strict=True), scales, (False, True) if mirror else (False,)))

    def __call__(self, images: Num[Tensor, "b c i j"], size: tuple[int, int]) -> Float[Tensor, "b k h w"]:
        """Values at `size` of images in the file's own type and range."""
        if len(self._views) == 1:
            return self._seen(*self._views[0], images, size)
        total = None
        for view in self._views:
            mixed = self.mixable(self._seen(*view, images, size))
            total = mixed if total is None else total.add_(mixed)
        return self.unmixed(total / len(self._views))

    def _seen(
        self, by: tuple[Member, list[Field]], scale: float | int, mirror: bool, images: Tensor, size: tuple[int, int]
    ) -> Tensor:
        member, fields = by
        output = member.output(images, size, scale, mirror)
        outputs = output if isinstance(output, dict) else {fields[0].name: output}
        found = [field.values(outputs[field.name], size) for field in fields]
        return torch.cat([field.turned(maps) if mirror else maps for field, maps in zip(fields, found, strict=True)], 1)

    def mixable(self, values: Float[Tensor, "b k h w"]) -> Float[Tensor, "b k h w"]:
        """What may be averaged."""
        return self._each(values, lambda field, maps: field.mixable(maps))

    def unmixed(self, mixed: Float[Tensor, "b k h w"]) -> Float[Tensor, "b k h w"]:
        """Values that `mixable` gives `mixed` for."""
        return self._each(mixed, lambda field, maps: field.unmixed(maps))

    def answer(self, values: Float[Tensor, "b k h w"]) -> Any:
        """In the units of the target; of several fields each by its name."""
        found = {field.name: field.answer(maps) for field, maps in self.apart(values, 1).items()}
        return found if len(found) > 1 else found[self.fields[0].name]

    def apart(self, values: Float[Tensor, "*b k h w"], axis: int = 0) -> dict[Field, Float[Tensor, "*b _ h w"]]:
        """Each field's own."""
        parts = values.split([field.channels for field in self.fields], axis)
        return dict(zip(self.fields, parts, strict=True))

    def _each(self, values: Tensor, change: Callable[[Field, Tensor], Tensor]) -> Tensor:
        return torch.cat([change(field, maps) for field, maps in self.apart(values, 1).items()], 1)


def fields_of(task: Task, options: dict[str, Any]) -> list[Field]:
    """The fields that a task answers with."""
    parts = task.parts if isinstance(task, Joint) else {_name(task): task}
    return [_kind(part)(name, part, options) for name, part in parts.items()]


def _kind(task: Task) -> type[Field]:
    found = [field for kind, field in _FIELDS.items() if isinstance(task, kind)]
    if not found:
        raise ValueError(f"src.predict writes no files of {type(task).__name__}: leave that part out of task.fields")
    return found[0]


def _name(task: Task) -> str:
    """Of the field of a task by itself."""
    return task.field if isinstance(task, Regression) else _kind(task).__name__.lower()


def _facts(task: Task, fields: Sequence[Field]) -> dict[str, Any]:
    facts = {"fields": [field.name for field in fields]}
    facts |= {fact: getattr(task.description, fact) for fact in _SAME}
    return facts | {key: value for field in fields for key, value in field.facts.items()}


def _compare(number: int, first: dict[str, Any], other: dict[str, Any]) -> None:
    for fact, value in first.items():
        if other.get(fact) != value:
            raise ValueError(f"ckpt: number 1 was made for {fact} {value}, number {number} for {other.get(fact)}")
