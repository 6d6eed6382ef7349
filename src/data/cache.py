"""Samples decoded once and kept in one flat block of bytes, in memory or in a file that every process maps."""

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track
from torch import Tensor
from torchvision import tv_tensors

from src.data.fault import Fault, tolerate
from src.data.field import TYPES, VALUES, Quantity
from src.data.interface import Dataset
from src.data.reading import Reading
from src.data.sample import Instances, Sample, part
from src.data.store import Store

_BITS = "bits"  # for a dtype: truth values, eight in a byte
_TYPES = {"image": tv_tensors.Image, **TYPES}


class Cache:
    """The usable samples of a dataset, decoded before, in its order.

    Building it reads every sample, so that it is also the check of the whole split: `faults` are those that are left
    out.
    """

    def __init__(
        self,
        dataset: Dataset,
        fields: Sequence[str],
        folder: Path | None,
        identity: str = "",
        workers: int = 0,
        skip: int | None = None,
    ) -> None:
        """Decode `dataset`, or find it decoded in `folder`.

        Args:
            fields: of a Sample, those that are kept.
            folder: where the decoded file is kept for the next process; None keeps it in this one's memory.
            identity: what distinguishes the dataset beside its files: class, split and options.
            workers: processes that decode.
            skip: so many faulty samples are left out; None where none may be.

        Raises:
            ValueError: more samples cannot be used, each with its reason; nothing is kept then.
        """
        self._dataset = dataset
        if folder is None:
            entries, blocks = _decoded(dataset, fields, workers, skip)
            self._bytes = np.concatenate(blocks) if blocks else np.empty(0, np.uint8)
        else:
            store = Store(folder / key(dataset, fields, identity))
            found = store.load()
            if found is None:
                with store.alone():
                    found = store.load()  # by another process in the meantime
                    if found is None:
                        store.save(*_decoded(dataset, fields, workers, skip))
                        found = store.load()
            if found is None:
                raise ValueError(
                    f"{folder}: what was written there was not there afterwards; say data.cache_folder=..."
                )
            entries, self._bytes = found
        self.faults = _faults(entries)
        tolerate(self.faults, len(dataset), skip)
        self._index = [entry for entry in entries if "reason" not in entry]

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, index: int) -> Sample:
        entry = self._index[index]
        tensors = {field: self._tensor(*where) for field, where in entry["tensors"].items()}
        parts = {name.partition(".")[2]: tensors.pop(name) for name in list(tensors) if "." in name}
        values = {name: Quantity(tensors.pop(name)) for name in list(tensors) if name in VALUES} or None
        typed = {field: _TYPES[field](value) if field in _TYPES else value for field, value in tensors.items()}
        instances = Instances(**parts) if parts else None
        return Sample(**typed, values=values, instances=instances, name=entry["name"], size=tuple(entry["size"]))

    def _tensor(self, offset: int, dtype: str, shape: Sequence[int]) -> Tensor:
        if dtype == _BITS:
            count = int(np.prod(shape))
            bits = np.unpackbits(self._bytes[offset : offset + -(-count // 8)], count=count)
            return torch.from_numpy(bits.view(bool).reshape(shape))
        count = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return torch.from_numpy(self._bytes[offset : offset + count].view(dtype).reshape(shape))

    def size(self, index: int) -> tuple[int, int]:
        """Height and width of the sample as displayed."""
        return tuple(self._index[index]["size"])

    def name(self, index: int) -> str:
        """The sample's name."""
        return self._index[index]["name"]

    def files(self, index: int) -> tuple[str, ...]:
        """The files the sample was made from."""
        return self._dataset.files(self._index[index]["place"])


def key(dataset: Dataset, fields: Sequence[str], identity: str) -> str:
    """A name that changes whenever a decoded sample could: with the dataset's options, its files, or the code."""
    facts = hashlib.sha256(f"{identity} {sorted(fields)} {len(dataset)}".encode())
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        facts.update(source.read_bytes())
    for index in range(len(dataset)):
        for file in dataset.files(index):
            stat = Path(file).stat()
            facts.update(f"{file} {stat.st_size} {stat.st_mtime_ns}".encode())
    return facts.hexdigest()[:24]


def volume(sample: Sample, fields: Sequence[str]) -> int:
    """Bytes that a sample takes when those fields of it are kept."""
    return sum(len(block) for block, _, _ in _arrays(sample, fields)[2].values())


_Stored = tuple[np.ndarray, str, tuple[int, ...]]  # bytes of a tensor, its type and its shape


def _arrays(sample: Sample, fields: Sequence[str]) -> tuple[str, tuple[int, int], dict[str, _Stored]]:
    """Arrays, because uint16 tensors do not pass between processes."""
    return sample.name, sample.size, {name: _stored(tensor.numpy()) for name, tensor in _tensors(sample, fields)}


def _stored(array: np.ndarray) -> _Stored:
    if array.dtype == bool:
        return np.packbits(array), _BITS, array.shape
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8), array.dtype.str, array.shape


def _faults(entries: Sequence[dict[str, Any]]) -> list[Fault]:
    return [Fault(entry["name"], entry["reason"]) for entry in entries if "reason" in entry]


def _decoded(
    dataset: Dataset, fields: Sequence[str], workers: int, skip: int | None
) -> tuple[list[dict[str, Any]], list[np.ndarray]]:
    """An entry for every sample, in order, and the bytes of those that can be used."""
    reading = Reading(dataset, partial(_arrays, fields=fields), workers)
    index, blocks, offset = [], [], 0
    said = f"decoding {len(dataset)} samples, once"
    for place, found in enumerate(track(reading, said, transient=True, disable=len(dataset) < 50)):
        if isinstance(found, Fault):
            index.append({"name": found.name, "reason": found.reason})
            continue
        tensors = {}
        sample, size, arrays = found
        for name, (block, dtype, shape) in arrays.items():
            tensors[name] = (offset, dtype, shape)
            blocks.append(np.pad(block, (0, -len(block) % 16)))  # so that every array starts where its type may
            offset += len(blocks[-1])
        index.append({"name": sample, "size": size, "tensors": tensors, "place": place})
    tolerate(_faults(index), len(dataset), skip)
    return index, blocks


def _tensors(sample: Sample, fields: Sequence[str]) -> list[tuple[str, Tensor]]:
    found = [(name, part(sample, name)) for name in fields if name != "instances"]
    if "instances" in fields and sample.instances is not None:
        found += [(f"instances.{name}", value) for name, value in vars(sample.instances).items()]
    return [(name, value.as_subclass(Tensor)) for name, value in found if value is not None]
