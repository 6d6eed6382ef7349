"""Every sample of a dataset read once, in several processes; a bad file hides no other, nor ends the reading."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.process import BaseProcess
from typing import Any

import torch

from src.data.description import Description
from src.data.fault import Fault
from src.data.flaw import flaw
from src.data.follow import follow_parent
from src.data.interface import Dataset
from src.data.sample import Sample

_AHEAD = 4  # samples per process that wait to be taken
_PATIENCE = 300  # seconds that one sample is waited for
_one: Callable[[int], Any]  # of this process: reads a sample


class Reading:
    """Iterates over what `take` makes of each sample, in order; over a Fault where one cannot be used.

    A sample that ends the process that reads it (a crash of a decoder, memory that runs out), or blocks it, is a fault
    as well, unless it is read in this one (`workers=0`).
    """

    def __init__(self, dataset: Dataset, take: Callable[[Sample], Any], workers: int = 0) -> None:
        """Read nothing yet.

        Args:
            take: what is kept of a sample; no tensors of 16 bits, which do not pass between processes.
            workers: processes that read; a handful of samples is not worth them.
        """
        self._dataset, self._take = dataset, take
        self._workers = workers if len(dataset) > 2 * workers else 0

    def __len__(self) -> int:
        return len(self._dataset)

    def __iter__(self) -> Iterator[Any]:
        read = partial(_attempt, self._dataset, self._dataset.describe(), self._take)
        return self._together(read) if self._workers else map(read, range(len(self)))

    def _together(self, read: Callable[[int], Any]) -> Iterator[Any]:
        waiting, others = deque(range(len(self))), set(multiprocessing.active_children())
        while waiting:
            begun: deque[tuple[int, Future[Any]]] = deque()
            try:
                with _pool(self._workers, read) as pool:
                    while waiting or begun:
                        while waiting and len(begun) < _AHEAD * self._workers:
                            begun.append((waiting[0], pool.submit(_run, waiting[0])))
                            waiting.popleft()
                        result = _awaited(begun[0][1], others)
                        begun.popleft()
                        yield result
            except BrokenProcessPool:  # one of these did it: each again, in a process of its own
                yield from (self._alone(read, index) for index, _ in begun)

    def _alone(self, read: Callable[[int], Any], index: int) -> Any:
        others = set(multiprocessing.active_children())
        with _pool(1, read) as pool:
            try:
                return _awaited(pool.submit(_run, index), others)
            except BrokenProcessPool as error:
                said = "reading it ended the process: damaged in a way the decoder cannot bear, or beyond the memory?"
                if isinstance(error, _Blocked):
                    said = f"reading it takes more than {_PATIENCE} s: is it a file, on a disk that answers?"
                return Fault.of(self._dataset.name(index), self._dataset.files(index), said)


class _Blocked(BrokenProcessPool):
    """A process did not answer, and was ended with all others."""


def _awaited(future: Future[Any], others: set[BaseProcess]) -> Any:
    """The result; a process that does not give one is ended, with all children of this one but the `others`."""
    try:
        return future.result(_PATIENCE)
    except TimeoutError as error:
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
        raise _Blocked from error


def _pool(workers: int, read: Callable[[int], Any]) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, initializer=_begin, initargs=(read,))


def _begin(read: Callable[[int], Any]) -> None:
    follow_parent()
    global _one  # a process reads one dataset; it would otherwise travel with every index
    _one = read
    torch.set_num_threads(1)


def _run(index: int) -> Any:
    return _one(index)


def _attempt(dataset: Dataset, description: Description, take: Callable[[Sample], Any], index: int) -> Any:
    try:
        sample = dataset[index]
        wrong = flaw(sample, description)
    except Exception as error:  # not only ValueError: somebody's own dataset may raise anything
        wrong = error
    return take(sample) if wrong is None else Fault.of(dataset.name(index), dataset.files(index), wrong)
