"""Runs per hour of a sweep: as many at the same time as there are cores, beside one after another."""

import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from src.benchmark.clock import interleaved
from src.benchmark.row import Row
from src.data.cores import usable_cores
from src.run.sweep import machine
from src.run.sweep.job import Job
from src.run.sweep.pool import Pool
from src.run.sweep.share import Share, shares

_TOGETHER = "at the same time"
_CPU = {"accelerator": "cpu", "devices": 1, "strategy": "auto"}
_GOAL = 0.8  # of as many times the runs as there are cores


def run(config: Mapping[str, Any]) -> list[Row]:
    """The same short trainings in each way, on the wall clock; all of them read one set of decoded samples."""
    options, cores = config["sweep"], usable_cores()
    count = options["jobs"] or len(cores)
    runs = options["runs"] or count
    ways = {
        _TOGETHER: shares(count, [_CPU]),
        "one at a time, one thread": [Share((cores[0],) if machine.whole() else (), 1)],
        "one at a time, all threads": [Share()],
    }
    with tempfile.TemporaryDirectory() as folder:
        make = partial(training, options, Path(folder))
        _sweep(make, "decoding", [Share()], 1)
        contestants = {way: partial(_sweep, make, way, places, runs) for way, places in ways.items()}
        clocks = interleaved(contestants, config["rounds"], warmup=0)
    rows = []
    for peer, goal, most in zip(list(ways)[1:], (_GOAL * count, 1.0), (1 / _GOAL, None), strict=True):
        ours, theirs = clocks[_TOGETHER], clocks[peer]
        what, more = f"{runs} runs, {count} {_TOGETHER}", {"jobs": count}
        hourly = [[3600 * runs / seconds for seconds in clock.wall] for clock in (theirs, ours)]
        rows.append(Row("sweep", what, peer, *hourly, "runs/h", goal, least=True, more=more))
        cost = [[seconds / runs for seconds in clock.cpu] for clock in (theirs, ours)]
        rows.append(Row("sweep", f"processor time of a run, {count} {_TOGETHER}", peer, *cost, "s", most, more=more))
    return rows


def training(options: Mapping[str, Any], folder: Path, place: Path) -> Job:
    """One run of a small U-Net on scenes.

    Args:
        options: conf/benchmark.yaml explains them.
        folder: of the decoded samples.
        place: of the run.
    """
    samples, (height, width) = options["samples"], options["size"]
    words = [
        "model=unet",
        f"data.resolution=[{height},{width}]",
        f"data.lengths={{train:{samples},val:4,test:2}}",
        "data.batch_size=4",
        f"data.cache_folder={folder / 'cache'}",
        f"trainer.max_epochs={options['epochs']}",
        "trainer.accelerator=cpu",
        "logger=none",
        f"hydra.run.dir={place}",
    ]
    return Job([sys.executable, "-m", "src.train", *words], place)


def _sweep(make: Callable[[Path], Job], way: str, places: Sequence[Share], runs: int) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    with tempfile.TemporaryDirectory() as folder:
        pool = Pool(places, environment)
        for job in pool.run(make(Path(folder) / str(number)) for number in range(runs)):
            if pool.signals:
                raise SystemExit(128 + pool.signals[0])
            if job.trouble:
                raise ChildProcessError(f"a training, {way}: {job.trouble}")
