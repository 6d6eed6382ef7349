"""A DataLoader in which nothing fails unnoticed: what raises, dies or blocks is said, with the sample it was on."""

import pickle
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree
from torch.utils.data import DataLoader, get_worker_info

from src.data.crew import Crew


class Loader(DataLoader):
    """PyTorch's loader over samples that can be named.

    An error in a worker comes out as one sentence with the sample, its files and the worker; the error itself is its
    cause, and the worker's traceback a note of that. A worker that dies or does not answer ends the iteration in the
    same way. Either takes the other workers with it: the loader is of no use after an error.
    """

    def __init__(
        self,
        samples: Any,
        named: Callable[[int], str],
        collate_fn: Callable[[Any], Any],
        num_workers: int = 0,
        timeout: float | int = 300,
        **options: Any,
    ) -> None:
        """Start no worker yet.

        Args:
            samples: by keys, each the number of a sample or a tuple that ends with it.
            named: a sample's name and files, by its number.
            collate_fn: makes a batch of a list of samples; of one sample where `batch_size=None`.
            num_workers: processes that load; 0 loads in this one, where nothing can be timed.
            timeout: seconds that one batch is waited for; 0 waits for ever.
            options: DataLoader's own.
        """
        self._crew = Crew(num_workers, timeout, named) if num_workers else None
        self._named = named
        super().__init__(
            _Attempts(samples, self._crew and self._crew.read()),
            collate_fn=_Collate(collate_fn),
            num_workers=num_workers,
            timeout=timeout if num_workers else 0,
            worker_init_fn=self._crew and self._crew.enter(),
            **options,
        )

    def __iter__(self) -> Iterator[Any]:
        begin = super().__iter__
        return self._each(self._crew.recruit(begin) if self._crew else begin())  # here, so that workers begin at once

    def _each(self, batches: Iterator[Any]) -> Iterator[Any]:
        while True:
            try:
                batch = self._crew.wait_for(batches.__next__) if self._crew else next(batches)
            except StopIteration:
                return
            if isinstance(batch, _Failure):
                if self._crew:
                    self._crew.dismiss()
                raise ValueError(self._told(batch)) from batch.error
            yield batch

    def _told(self, failure: "_Failure") -> str:
        error = failure.error
        said = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        where = [] if failure.sample is None else [self._named(failure.sample)]
        where += [] if failure.worker is None else [f"loading worker {failure.worker}"]
        hint = "; see `df /dev/shm`, and lower data.workers or data.batch_size" if "/torch_" in said else ""
        return f"{', '.join(where)}{': ' if where else ''}{said}{hint}"


@dataclass(frozen=True)
class _Failure:
    """An error on its way from a worker, instead of a batch."""

    error: Exception
    sample: int | None
    worker: int | None


class _Attempts:
    """Samples, or why there is none; in a worker, each is noted before it is read."""

    def __init__(self, samples: Any, note: Callable[[int, int], None] | None) -> None:
        self._samples, self._note = samples, note

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, key: Any) -> Any:
        number = key[-1] if isinstance(key, tuple) else key
        worker = _worker()
        if self._note and worker is not None:
            self._note(worker, number)
        try:
            sample = self._samples[key]
        except Exception as error:
            return _Failure(_portable(error), number, worker)
        if self._note and worker is not None:
            self._note(worker, ~number)
        return sample


class _Collate:
    """A batch in shared memory, or the first failure among its samples."""

    def __init__(self, collate: Callable[[Any], Any]) -> None:
        self._collate = collate

    def __call__(self, samples: Any) -> Any:
        for sample in samples if isinstance(samples, list) else [samples]:
            if isinstance(sample, _Failure):
                return sample
        try:
            batch = self._collate(samples)
            if _worker() is not None:
                # later, in the thread that sends it, a lack of shared memory would lose the batch without a word
                pytree.tree_map_only(Tensor, torch.Tensor.share_memory_, batch)
            return batch
        except Exception as error:
            return _Failure(_portable(error), None, _worker())


def _worker() -> int | None:
    info = get_worker_info()
    return None if info is None else info.id


def _portable(error: Exception) -> Exception:
    """The error as it can leave a worker: with its traceback as a note, and of a type that can be sent."""
    if _worker() is None:
        return error
    error.add_note("".join(traceback.format_exception(error)))
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:  # whatever somebody's own exception does when it is pickled
        plain = RuntimeError(f"{type(error).__name__}: {error}")
        plain.add_note(error.__notes__[-1])
        return plain
