"""A dataset that is decoded anew each time, without its faulty samples; every one of them was read once before."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.progress import track

from src.data.cache import key
from src.data.fault import Fault, tolerate
from src.data.interface import Dataset
from src.data.reading import Reading
from src.data.sample import Sample
from src.data.store import Store


class Sound:
    """The usable samples of a dataset, in its order; `faults` are those that are left out."""

    def __init__(
        self,
        dataset: Dataset,
        fields: Sequence[str],
        folder: Path,
        identity: str = "",
        workers: int = 0,
        skip: int | None = None,
    ) -> None:
        """Read every sample, or find in `folder` what came of it when the same files were last read.

        Args:
            fields, identity, workers, skip: as of `Cache`.

        Raises:
            ValueError: more samples than `skip` cannot be used, each with its reason; nothing is kept then.
        """
        self._dataset = dataset
        path = folder / f"{key(dataset, fields, identity)}-faults"
        entries = _remembered(path)
        if entries is None:
            entries = _faults(dataset, workers)
            tolerate(_told(entries), len(dataset), skip)
            _remember(path, entries)
        self.faults = _told(entries)
        tolerate(self.faults, len(dataset), skip)
        left_out = {entry["place"] for entry in entries}
        self._places = [place for place in range(len(dataset)) if place not in left_out]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Sample:
        return self._dataset[self._places[index]]

    def name(self, index: int) -> str:
        """The sample's name."""
        return self._dataset.name(self._places[index])

    def size(self, index: int) -> tuple[int, int]:
        """Height and width of the sample as displayed."""
        return self._dataset.size(self._places[index])

    def files(self, index: int) -> tuple[str, ...]:
        """The files the sample is made from."""
        return self._dataset.files(self._places[index])


def _faults(dataset: Dataset, workers: int) -> list[dict[str, Any]]:
    """Each with its place in the dataset."""
    reading = Reading(dataset, _nothing, workers)
    said = f"checking {len(dataset)} samples, once"
    found = enumerate(track(reading, said, transient=True, disable=len(dataset) < 50))
    return [{"place": place, **vars(fault)} for place, fault in found if isinstance(fault, Fault)]


def _nothing(sample: Sample) -> None:
    """All that is wanted is to have read it."""


def _told(entries: Sequence[dict[str, Any]]) -> list[Fault]:
    return [Fault(entry["name"], entry["reason"]) for entry in entries]


def _remembered(path: Path) -> list[dict[str, Any]] | None:
    """What came of it when the same files were last read."""
    if not path.with_suffix(".json").exists():
        return None
    found = Store(path).load()
    return None if found is None else found[0]


def _remember(path: Path, entries: Sequence[dict[str, Any]]) -> None:
    """For the next run, which will read everything again where this fails."""
    try:
        Store(path).save(entries, [])
    except ValueError as error:
        print(f"{error}. The samples were checked, and will be again in the next run")
