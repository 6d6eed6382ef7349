"""How fast the CamVid recipe learns beside segmentation-models-pytorch's U-Net: val mIoU against CPU seconds.

Both train at the same time, one process and the same number of threads each, so that whatever else the machine does
slows both alike; evaluations do not count.
"""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from src.benchmark.row import Row
from src.run import plugins

_PEER = "smp.Unet, bf16, one cycle"
_LEAD = 0.03  # of mIoU, at the end
_RECIPE = "experiments/camvid.yaml"

Curve = list[tuple[float, float]]  # CPU seconds, val mIoU


def run(config: Mapping[str, Any]) -> list[Row]:
    """A row per reading of the peer, the values of all seeds in it; curves as CSV and a picture beside the output.

    Raises:
        ValueError: no root was given, or a contender failed.
    """
    if config["root"] is None:
        raise ValueError("part=learning trains on CamVid: say root=PATH, the folder that holds train.txt and val.txt")
    folder = Path(config["output"]).expanduser().absolute().with_suffix("")
    folder.mkdir(parents=True, exist_ok=True)
    epochs = config["learning"]["epochs"] or _epochs()
    pairs = [
        _race(folder, Path(config["root"]), seed, epochs, config["threads"]) for seed in config["learning"]["seeds"]
    ]
    draw(folder / "curves.png", pairs)
    return _rows(pairs)


def _epochs() -> int:
    return yaml.safe_load((plugins.ROOT / _RECIPE).read_text(encoding="utf8"))["trainer"]["max_epochs"]


def _race(folder: Path, root: Path, seed: int, epochs: int, threads: int) -> tuple[Curve, Curve]:
    """Our curve and the peer's; the peer gets the CPU seconds that our whole run will take by its first epoch."""
    run, peer = folder / f"ours_{seed}", folder / f"peer_{seed}.csv"
    words = [f"experiments={Path(_RECIPE).stem}", f"data.root={root}", f"seed={seed}", f"trainer.max_epochs={epochs}"]
    words += [f"hydra.run.dir={run}", "logger=none", "trainer.accelerator=cpu"]
    with (folder / f"ours_{seed}.log").open("w") as log, (folder / f"peer_{seed}.log").open("w") as other:
        ours = _started(["src.train", *words], threads, log)
        first = _first_epoch(run / "metrics.csv", ours)
        theirs = _started(
            ["src.benchmark.reference", str(root), f"{first * epochs:.0f}", str(seed), str(peer)], threads, other
        )
        for name, process in (("ours", ours), ("the peer", theirs)):
            if process.wait():
                raise ValueError(f"{name} ended with exit code {process.returncode}: see the logs in {folder}")
    spent, curve = 0.0, []
    for row in _table(run / "metrics.csv"):
        spent += float(row["train/cpu_seconds"])
        if row["val/miou"]:
            curve.append((spent, float(row["val/miou"])))
    return curve, [(float(row["cpu_seconds"]), float(row["val/miou"])) for row in _table(peer)]


def _started(words: list[str], threads: int, log: Any) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    return subprocess.Popen([sys.executable, "-m", *words], stdout=log, stderr=log, env=environment, cwd=plugins.ROOT)


def _first_epoch(path: Path, process: subprocess.Popen[bytes]) -> float:
    """The CPU seconds of the first epoch, once it is over."""
    while not path.exists():
        if process.poll() is not None:
            raise ValueError(
                f"ours ended with exit code {process.returncode} before its first epoch: see {path.parent}.log"
            )
        time.sleep(1)
    return float(_table(path)[0]["train/cpu_seconds"])


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _rows(pairs: list[tuple[Curve, Curve]]) -> list[Row]:
    rows = []
    count = min(len(theirs) for _, theirs in pairs)
    for index in range(count):
        readings = [theirs[index] for _, theirs in pairs]
        ours = [_at(curve, seconds) for (curve, _), (seconds, _) in zip(pairs, readings, strict=True)]
        theirs = [miou for _, miou in readings]
        mean = sum(theirs) / len(theirs)
        goal = None if index == 0 else 1 + _LEAD / mean if index == count - 1 else 1.0
        seconds = [seconds for seconds, _ in readings]
        what = f"CamVid val mIoU after {sum(seconds) / len(seconds):.0f} CPU s"
        more = {"cpu_seconds": seconds, "curves": pairs} if index == 0 else {"cpu_seconds": seconds}
        rows.append(Row("learning", what, _PEER, theirs, ours, "mIoU", goal, least=True, more=more))
    return rows


def _at(curve: Curve, seconds: float) -> float:
    """What the curve had reached by then, between two evaluations by the straight line; 0 before the first."""
    before = (0.0, 0.0)
    for after in curve:
        if after[0] >= seconds:
            share = (seconds - before[0]) / (after[0] - before[0])
            return before[1] + share * (after[1] - before[1])
        before = after
    return before[1]


def draw(path: Path, pairs: list[tuple[Curve, Curve]]) -> None:
    """Both contenders, a line per seed."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 4), layout="constrained")
    for seed, pair in enumerate(pairs):
        for curve, color, name in zip(pair, ("#1b7837", "#762a83"), (_RECIPE, _PEER), strict=True):
            axes.plot(*zip(*curve, strict=True), color=color, marker=".", label=name if seed == 0 else None)
    axes.set(xlabel="CPU seconds of training", ylabel="val mIoU", xlim=(0, None), ylim=(0, None))
    axes.set_title("CamVid at 180×240 from random weights", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
