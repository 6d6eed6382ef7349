"""What the DataModule asks of a dataset. Nobody inherits from this."""

from typing import Protocol, runtime_checkable

from src.data.description import Description
from src.data.sample import Sample


class MissingSplit(ValueError):
    """The dataset is there, but not this split of it; the message says what was looked for."""


@runtime_checkable
class Dataset(Protocol):
    """Disk -> Sample. Built as `dataset(split="train")`; knows nothing of transforms, caches or batches.

    `__init__` reads index files and lists folders only: it raises ValueError for a root that is absent or laid out
    otherwise (saying what was looked for), and MissingSplit for a split that this copy lacks. `__getitem__` decodes
    one sample and raises ValueError naming file and value for anything wrong in it.
    """

    def describe(self) -> Description: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample: ...

    def name(self, index: int) -> str:
        """The sample's name, without decoding it."""
        ...

    def size(self, index: int) -> tuple[int, int]:
        """Height and width of the sample as displayed, from the file's header alone."""
        ...

    def files(self, index: int) -> tuple[str, ...]:
        """The files the sample is made from (none for synthetic data): for error messages and the cache's key."""
        ...
