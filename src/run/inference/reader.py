"""Files as batches of equal sizes, read ahead; what cannot be read is said, and keeps nobody else waiting."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Num
from torch import Tensor

from src.data.decode import image, opened
from src.data.description import Description
from src.data.loader import Loader
from src.run.inference.source import Source


@dataclass(frozen=True)
class Read:
    """Files of one size that were read, and those that were not."""

    sources: list[Source] = field(default_factory=list)
    images: Num[Tensor, "b c h w"] | None = None  # of the file's own type and range
    failures: dict[Source, str] = field(default_factory=dict)


class Reader:
    """Iterates over all sources, grouped by size."""

    def __init__(
        self,
        sources: Sequence[Source],
        description: Description,
        at_once: Callable[[tuple[int, int]], int],
        max_pixels: int,
        workers: int = 0,
    ) -> None:
        """Read the headers.

        Args:
            description: of the data that the checkpoint was made for.
            at_once: how many images of a size go into a batch.
            max_pixels: larger images are refused before they are unpacked.
            workers: processes that read ahead.
        """
        self._sources, self._description, self._max_pixels, self._workers = sources, description, max_pixels, workers
        self._failures: dict[Source, str] = {}
        groups: dict[tuple[int, int], list[Source]] = {}
        for source in sources:
            try:
                groups.setdefault(opened(source.path, max_pixels=max_pixels).size, []).append(source)
            except ValueError as error:
                self._failures[source] = str(error)
        self._batches = [
            group[first : first + at_once(size)]
            for size, group in groups.items()
            for first in range(0, len(group), at_once(size))
        ]

    def __iter__(self) -> Iterator[Read]:
        """First what failed already, then a batch at a time."""
        if self._failures:
            yield Read(failures=self._failures)
        places = range(len(self._batches))
        yield from Loader(self, self._named, _as_is, self._workers, batch_size=None, sampler=places)

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> Read:
        """One batch, without the files of it that cannot be read."""
        images, failures = {}, {}
        for source in self._batches[index]:
            try:
                picture = image(source.path, self._description.channels, max_pixels=self._max_pixels)
                images[source] = _of_range(picture, source, self._description.value_range[1])
            except ValueError as error:
                failures[source] = str(error)
            except MemoryError:
                failures[source] = f"{source.path}: out of memory while it was unpacked: free some, or lower max_pixels"
        pictures = list(images.values())
        if not pictures:
            return Read(failures=failures)
        # a single one is not copied: it may be large
        return Read(list(images), pictures[0][None] if len(pictures) == 1 else torch.stack(pictures), failures)

    def _named(self, index: int) -> str:
        return ", ".join(str(source.path) for source in self._batches[index])


def _as_is(read: Read) -> Read:
    return read


def _of_range(picture: Tensor, source: Source, white: float) -> Tensor:
    """The picture, if its values can mean what the checkpoint takes them for: `white` is the brightest."""
    brightest = float(picture.numpy().max())
    kind, fits = {
        torch.uint8: ("8-bit", brightest <= white if white <= 1 else white <= 255),
        torch.uint16: ("16-bit", brightest <= white or white > 255),
        torch.float32: ("floating-point", brightest > 1 or white <= 1),
    }[picture.dtype]
    if not fits:
        raise ValueError(
            f"{source.path} is a {kind} image whose brightest value is {brightest:g}, but the checkpoint was trained "
            f"on images whose white is {white:g}: convert it"
        )
    return picture
