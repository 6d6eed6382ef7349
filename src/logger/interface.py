"""What the loggers of this project do beyond Lightning's, and what they are given for it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Integer, UInt8
from PIL import Image
from torch import Tensor

from src.data.sample import Instances


@dataclass(frozen=True)
class Look:
    """One image as it is looked at, with what is known of it and what was predicted."""

    name: str
    image: UInt8[Tensor, "3 h w"]
    maps: dict[str, Integer[Tensor, "h w"]] = field(default_factory=dict)  # by title: class index, 255 unknown
    objects: dict[str, Instances] = field(default_factory=dict)  # by title, in pixels of the image


@dataclass(frozen=True)
class Table:
    """Rows of equally many values, each column with a name."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Outcome:
    """What a run came to, by the best checkpoint."""

    figures: dict[str, float]  # best/val/miou ...
    facts: dict[str, Any]  # of results.json
    step: int  # of the optimizer, the last
    tables: dict[str, Table] = field(default_factory=dict)  # best/val/classes ...
    confusions: dict[str, Table] = field(default_factory=dict)  # best/val/confusion: target, output, pixels
    pictures: dict[str, Image.Image] = field(default_factory=dict)  # best/val/confusion
    checkpoints: dict[str, Any] = field(default_factory=dict)  # paths by name: best, last


@runtime_checkable
class Shows(Protocol):
    """A logger that also shows pictures and tables, and that is told how the run ended."""

    remedy: str | None  # what a person may do where it failed

    def start(self) -> str | None:
        """Begin, and log config and names; a sentence for the person who waits, if there is one to say."""

    def show(self, key: str, sheet: Image.Image, looks: Sequence[Look], classes: Sequence[str], step: int) -> None:
        """Pictures: one sheet of everything, and the same images with masks and boxes that can be switched."""

    def conclude(self, outcome: Outcome) -> None:
        """What the run came to."""

    def end(self, status: str) -> None:
        """Finished, interrupted, pruned or failed: nothing follows."""
