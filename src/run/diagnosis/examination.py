"""A dataset read from one end to the other, by the code that a training reads it with."""

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from rich.console import Console
from rich.progress import track

from src.data.fault import Fault
from src.data.interface import Dataset, MissingSplit
from src.data.layout import surveyed
from src.data.reading import Reading
from src.run.diagnosis.findings import Findings
from src.run.diagnosis.measure import measured


def examined(build: Callable[..., Dataset], splits: Sequence[str], workers: int) -> Findings:
    """Every sample of the splits, each read once.

    Args:
        build: builds a split, as `build(split="train")`.
        workers: processes that read.

    Raises:
        ValueError: none of the splits can be listed.
    """
    findings = Findings()
    for split in splits:
        dataset = _built(build, split, findings)
        if dataset is not None:
            _read(dataset, split, workers, findings)
    if not findings.measures:
        raise ValueError("; ".join([*findings.absent.values(), *(fault["reason"] for fault in findings.faults)]))
    return findings


def _built(build: Callable[..., Dataset], split: str, findings: Findings) -> Dataset | None:
    """The split with all of its files that are in order; what is amiss with the others is noted."""
    try:
        with surveyed() as survey:
            dataset = build(split=split)
    except MissingSplit as error:
        findings.absent[split] = str(error)
        return None
    except ValueError as error:
        findings.fault(split, str(error))
        return None
    finally:
        for trouble in survey.troubles:
            findings.fault(split, trouble)
        findings.files.update(str(path) for path in survey.lists)
    if len(dataset) == 0:
        findings.fault(split, f"the split {split!r} is empty: check data.root and the list of its files")
    return dataset


def _read(dataset: Dataset, split: str, workers: int, findings: Findings) -> None:
    findings.description = findings.description or dataset.describe()
    findings.samples[split], findings.measures[split] = len(dataset), []
    findings.files.update(file for index in range(len(dataset)) for file in dataset.files(index))
    for found in tracked(Reading(dataset, partial(measured, description=dataset.describe()), workers), split):
        if isinstance(found, Fault):
            findings.fault(split, found)
        else:
            findings.measures[split].append(found)


def tracked(items: Any, said: str) -> Iterable[Any]:
    """The same, with a progress bar where somebody looks."""
    return track(items, said, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
