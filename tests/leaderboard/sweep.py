"""Run folders as src.train leaves them, without a training: for tests, and to look at a report of many runs.

python -m tests.leaderboard.sweep FOLDER
"""

import itertools
import json
import random
import sys
from pathlib import Path
from typing import Any

BACKBONES = {"resnet18": 0.00, "resnet50": 0.04, "vgg16": -0.03, "plain": -0.10, "mobilenet": -0.02}
DECODERS = {"unet": 0.05, "fcn8s": 0.00, "fcn32s": -0.12, "plain": -0.15}
LOSSES = {"cross_entropy": 0.0, "dice": 0.01, "focal": -0.04}
CLASSES = ("floor", "wall", "ceiling", "ground", "sky", "object")


def run(folder: Path, seed: int, score: float | None, status: str = "finished", epochs: int = 0, **facts: Any) -> Path:
    """One run folder; `facts` are axes, unless they are keys of results.json."""
    folder.mkdir(parents=True)
    keys = ("val", "test", "params", "flops_per_image", "images_per_second", "seconds", "task")
    axes = {"task": "semantic", "data": "scenes", **{k: v for k, v in facts.items() if k not in keys}, "seed": seed}
    val = None if score is None else {"score": score, "miou": score, "accuracy": min(1.0, score + 0.1)}
    content = {
        "seed": seed,
        "score": score,
        "val": val,
        "test": None,
        "params": 1000,
        "seconds": 60.0,
        "epochs": epochs,
    }
    content |= {"status": status, "device": "cpu", "git": "abc", "versions": {"torch": "2.15.0"}, "axes": axes}
    content |= {key: value for key, value in facts.items() if key in keys}
    (folder / "results.json").write_text(json.dumps(content))
    if epochs:
        lines = [f"{e},{e * 10},{1.0 / (e + 1)},{(score or 0) * (1 - 0.7 ** (e + 1)):.9f},700" for e in range(epochs)]
        header = "epoch,step,train/loss,val/score,train/memory_mb"
        (folder / "metrics.csv").write_text("\n".join([header, *lines]) + "\n")
    return folder


def sweep(top: Path, seeds: int = 5, epochs: int = 40) -> int:
    """Backbones × decoders × losses × seeds, with an interaction of the first two and three failures; how many runs."""
    noise, jobs = random.Random(0), itertools.product(BACKBONES, DECODERS, LOSSES, range(seeds))
    for number, (backbone, decoder, loss, seed) in enumerate(jobs):
        together = 0.08 if (backbone, decoder) == ("plain", "fcn32s") else 0.0
        score = 0.6 + BACKBONES[backbone] + DECODERS[decoder] + LOSSES[loss] + together + noise.gauss(0, 0.01)
        axes = {"model/backbone": backbone, "model/decoder": decoder, "loss": loss}
        cost = 1 + list(BACKBONES).index(backbone) + 2 * list(DECODERS).index(decoder)
        facts = {
            "val": {"score": score, "miou": score, "accuracy": score + 0.1, "mean_accuracy": score + 0.05}
            | {f"iou/{name}": max(0.0, score + 0.1 * (n - 3) / 3) for n, name in enumerate(CLASSES)},
            "params": 1_000_000 * cost,
            "flops_per_image": 300_000_000 * cost**2,
            "images_per_second": 400 / cost + noise.gauss(0, 2),
            "seconds": 60.0 * cost + noise.gauss(0, 3),
        }
        failed = number in (3, 77, 151)
        folder = run(
            top / f"{number:03d}",
            seed,
            None if failed else score,
            "failed" if failed else "finished",
            epochs,
            **axes,
            **({"val": None} if failed else facts),
        )
        if failed:
            (folder / "log.txt").write_text("Traceback\nRuntimeError: out of memory in step 12\n")
    return number + 1


if __name__ == "__main__":
    print(sweep(Path(sys.argv[1])))
