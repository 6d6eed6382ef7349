"""The splits of a dataset as a user asks for them: in other classes, and the training's with weaker labels."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from src.data.interface import Dataset
from src.data.relabel import Relabel


@dataclass(frozen=True)
class Splits:
    """Builds a split by its name, as `splits(split="train")`.

    Attributes:
        dataset: builds the split as it is on disk, as `dataset(split="train", **options)`.
        options: the dataset's own.
        label_map, other: as of `Relabel`; null reads the dataset's own classes.
        weak: builds what stands before the split train, as `weak(dataset)`.
    """

    dataset: Callable[..., Dataset]
    options: Mapping[str, Any] = field(default_factory=dict)
    label_map: Mapping[str, str | None] | None = None
    other: Literal["class", "unknown"] | None = None
    weak: Callable[[Dataset], Dataset] | None = None

    def __post_init__(self) -> None:
        if self.other and not self.label_map:
            raise ValueError(
                f"data.other={self.other} is for classes that data.label_map does not list, and there is none: list "
                "those that stay, as data.label_map={road: road, car: car}"
            )

    def __call__(self, split: str) -> Dataset:
        """The split, its files listed.

        Raises:
            ValueError, MissingSplit: as the dataset does.
        """
        found = self.dataset(split=split, **self.options)
        if self.label_map:
            found = Relabel(found, self.label_map, self.other)
        return self.weak(found) if self.weak and split == "train" else found

    def identity(self, split: str) -> str:
        """What distinguishes the decoded samples beside the dataset's files."""
        kind = getattr(self.dataset, "func", self.dataset)
        facts = [
            f"{kind.__module__}.{kind.__qualname__}",
            split,
            sorted(self.options.items()),
            self.label_map,
            self.other,
        ]
        return " ".join(map(str, [*facts, self.weak if split == "train" else None]))
