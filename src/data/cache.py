"""Samples decoded once and kept in one flat block of bytes, in memory or in a file that every process maps."""

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import track
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision import tv_tensors

from src.data.field import Depth, Normals
from src.data.interface import Dataset
from src.data.sample import Instances, Sample

_TYPES = {"image": tv_tensors.Image, "mask": tv_tensors.Mask, "depth": Depth, "normals": Normals}
_SHOWN = 10  # bad samples that an error prints


class Cache:
    """A dataset whose samples were decoded before; the same indices give the same samples.

    Building it reads every sample, so that it is also the check of the whole split: what is wrong in any sample is
    raised, all of it at once.
    """

    def __init__(
        self, dataset: Dataset, fields: Sequence[str], folder: Path | None, identity: str = "", workers: int = 0
    ) -> None:
        """Decode `dataset`, or find it decoded in `folder`.

        Args:
            fields: of a Sample, those that are kept.
            folder: where the decoded file is kept for the next process; None keeps it in this one's memory.
            identity: what distinguishes the dataset beside its files: class, split and options.
            workers: processes that decode.

        Raises:
            ValueError: samples that cannot be read, each with its reason.
        """
        self._dataset = dataset
        if folder is None:
            self._index, blocks = _decoded(dataset, fields, workers)
            self._bytes = np.concatenate(blocks) if blocks else np.empty(0, np.uint8)
            return
        path = folder / key(dataset, fields, identity)
        if not path.with_suffix(".json").exists():
            folder.mkdir(parents=True, exist_ok=True)
            _write(path, *_decoded(dataset, fields, workers))
        self._index = json.loads(path.with_suffix(".json").read_text())
        # copy on write: PyTorch wants a writable array, and the file stays as it is
        self._bytes = np.memmap(path.with_suffix(".bin"), np.uint8, mode="c") if self._index else np.empty(0, np.uint8)

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, index: int) -> Sample:
        entry = self._index[index]
        tensors = {field: self._tensor(*where) for field, where in entry["tensors"].items()}
        parts = {name.partition(".")[2]: tensors.pop(name) for name in list(tensors) if "." in name}
        typed = {field: _TYPES[field](value) if field in _TYPES else value for field, value in tensors.items()}
        instances = Instances(**parts) if parts else None
        return Sample(**typed, instances=instances, name=entry["name"], size=tuple(entry["size"]))

    def _tensor(self, offset: int, dtype: str, shape: Sequence[int]) -> Tensor:
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
        return self._dataset.files(index)


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


def complaints(problems: Sequence[str], total: int) -> str:
    """Bad samples in one message: the first few in full, the rest counted."""
    more = f"\n  ... and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    listed = "".join(f"\n  {problem}" for problem in problems[:_SHOWN])
    return f"{len(problems)} of {total} samples cannot be used:{listed}{more}"


class _Attempts:
    """Decodes a sample into arrays, or says why it cannot; one bad file must not hide the others.

    Arrays, because uint16 tensors do not pass between processes.
    """

    def __init__(self, dataset: Dataset, fields: Sequence[str]) -> None:
        self.dataset, self.fields = dataset, fields

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[str, tuple[int, int], dict[str, np.ndarray]] | str:
        try:
            sample = self.dataset[index]
        except ValueError as error:
            return str(error)
        arrays = {name: np.ascontiguousarray(tensor.numpy()) for name, tensor in _tensors(sample, self.fields)}
        return sample.name, sample.size, arrays


def _decoded(dataset: Dataset, fields: Sequence[str], workers: int) -> tuple[list[dict[str, Any]], list[np.ndarray]]:
    """Index and bytes of every sample, in order."""
    workers = workers if len(dataset) > 2 * workers else 0
    loader = DataLoader(_Attempts(dataset, fields), batch_size=None, num_workers=workers, collate_fn=_as_is)
    index, blocks, problems, offset = [], [], [], 0
    for attempt in track(loader, f"decoding {len(dataset)} samples, once", transient=True, disable=len(dataset) < 50):
        if isinstance(attempt, str):
            problems.append(attempt)
            continue
        tensors = {}
        sample, size, arrays = attempt
        for name, array in arrays.items():
            tensors[name] = (offset, array.dtype.str, array.shape)
            block = array.reshape(-1).view(np.uint8)
            padding = -len(block) % 16  # so that every array starts where its type may
            blocks += [block.copy(), np.zeros(padding, np.uint8)]
            offset += len(block) + padding
        index.append({"name": sample, "size": size, "tensors": tensors})
    if problems:
        raise ValueError(complaints(problems, len(dataset)))
    return index, blocks


def _as_is(attempt: object) -> object:
    return attempt


def _tensors(sample: Sample, fields: Sequence[str]) -> list[tuple[str, Tensor]]:
    found = [(name, getattr(sample, name)) for name in fields if name != "instances"]
    if "instances" in fields and sample.instances is not None:
        found += [(f"instances.{name}", value) for name, value in vars(sample.instances).items()]
    return [(name, value.as_subclass(Tensor)) for name, value in found if value is not None]


def _write(path: Path, index: list[dict[str, Any]], blocks: list[np.ndarray]) -> None:
    """Both files under a name of this process first, so that nobody ever maps half a file."""
    for suffix in (".bin", ".json"):
        draft = path.with_suffix(f"{suffix}.{os.getpid()}")
        with draft.open("wb") as file:
            if suffix == ".bin":
                file.writelines(block.data for block in blocks)
            else:
                file.write(json.dumps(index).encode())
        draft.replace(path.with_suffix(suffix))
