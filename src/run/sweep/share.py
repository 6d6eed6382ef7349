"""The part of a machine that one job of a sweep has to itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from src.data.cores import usable_cores
from src.run.sweep import machine


@dataclass(frozen=True)
class Share:
    """Cores and GPUs; empty where a job may use whatever is there."""

    cores: tuple[int, ...] = ()  # as the system counts them
    threads: int | None = None  # of each of the job's processes
    gpus: tuple[str, ...] = ()  # as in CUDA_VISIBLE_DEVICES

    def environment(self, outer: Mapping[str, str]) -> dict[str, str]:
        """`outer` with what keeps a job within its share; a smaller OMP_NUM_THREADS stays."""
        found = dict(outer)
        if self.threads is not None:
            said = found.get("OMP_NUM_THREADS", "")
            found["OMP_NUM_THREADS"] = str(min(self.threads, int(said)) if said.isdecimal() else self.threads)
        if self.gpus:
            found["CUDA_VISIBLE_DEVICES"] = ",".join(self.gpus)
        return found


def shares(
    wanted: int | Literal["auto"], trainers: Sequence[Mapping[str, Any]], most: int | None = None
) -> list[Share]:
    """One for each job that may run at the same time.

    Args:
        wanted: so many; auto: a job per core, or per as many GPUs as a job wants. Memory is looked at later, as jobs
            start.
        trainers: the options of every job's trainer; the largest job sets the size of a share.
        most: there are no more jobs than this.
    """
    limit = most or machine.MANY
    if any(isinstance(_devices(trainer), list) for trainer in trainers) and wanted == "auto":
        return [Share()]  # devices by name: whoever says these wants these
    cuda = any(trainer["accelerator"] in ("auto", "gpu", "cuda") for trainer in trainers)
    gpus = machine.gpus() if cuda else []
    if not gpus and machine.apple() and any(trainer["accelerator"] != "cpu" for trainer in trainers):
        return _cut(1 if wanted == "auto" else min(wanted, limit), 1)
    if not gpus:
        each = max(_processes(trainer) for trainer in trainers)
        return _cut(min(limit, max(1, len(usable_cores()) // each) if wanted == "auto" else wanted), each)
    each = max(_gpus(trainer, len(gpus)) for trainer in trainers)
    places = max(1, len(gpus) // each)
    return _cut(min(limit, places if wanted == "auto" else wanted), each, gpus)


def _cut(count: int, each: int, gpus: Sequence[str] = ()) -> list[Share]:
    """The machine in `count` parts; more than there are cores or GPUs use them in turn."""
    cores = usable_cores()
    if count == 1 and not gpus:
        return [Share()]  # all of it, and as many threads as a run by itself takes
    found = []
    for place in range(count):
        part = slice(place * len(cores) // count, (place + 1) * len(cores) // count)
        mine = cores[part] if count <= len(cores) else [cores[place % len(cores)]]
        begin = place % max(1, len(gpus) // each) * each
        threads = max(1, len(mine) // each)
        found.append(Share(tuple(mine) if machine.whole() else (), threads, tuple(gpus[begin : begin + each])))
    return found


def _devices(trainer: Mapping[str, Any]) -> int | list[int] | str:
    """Lightning takes several at once as a list, or as text with commas."""
    said = trainer["devices"]
    if isinstance(said, str) and said.lstrip("-").isdecimal():
        return int(said)
    return [int(word) for word in said.split(",")] if isinstance(said, str) and "," in said else said


def _processes(trainer: Mapping[str, Any]) -> int:
    said = _devices(trainer)
    return said if isinstance(said, int) and said > 0 else 1  # Lightning's auto is one on a CPU


def _gpus(trainer: Mapping[str, Any], there: int) -> int:
    """How many a job takes; auto is one of them, so that the others serve other jobs, unless it asks for a strategy."""
    said = _devices(trainer)
    if isinstance(said, list):
        return there
    alone = said == "auto" and trainer["strategy"] == "auto"
    return 1 if alone else there if said in ("auto", -1) else min(said, there)
