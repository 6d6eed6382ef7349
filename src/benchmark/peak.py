"""The memory a training step takes beside the bare loop's, and an evaluation of a large set beside a small one's."""

from collections.abc import Mapping, Sequence
from typing import Any

from src.benchmark.probe import measured
from src.benchmark.row import Row


def rows(common: Sequence[str], config: Mapping[str, Any]) -> list[Row]:
    """Both, each figure from a process of its own."""
    step, threads = config["step"], config["threads"]
    height, width = step["memory_size"]
    words = [*common, "model=unet", f"data.resolution=[{height},{width}]", f"data.batch_size={step['memory_batch']}"]
    training = [*words, f"data.lengths={{train:{step['memory_batch']},val:1,test:0}}"]
    pairs = [(measured("bare", training, threads), measured("ours", training, threads)) for _ in range(step["probes"])]
    small, large = step["memory_samples"], 8 * step["memory_samples"]
    sets = [
        [measured("evaluation", [*words, *_tested(count)], threads) for count in (small, large)]
        for _ in range(step["probes"])
    ]
    return [
        _row(
            f"peak memory of a training step, U-Net, {step['memory_batch']}×{height}×{width}",
            "bare PyTorch loop",
            pairs,
        ),
        _row(f"peak memory of evaluating {large} images", f"of evaluating {small}", sets),
    ]


def _tested(count: int) -> list[str]:
    # rendered as they are asked for: a cache in memory would be the set itself
    return [f"data.lengths={{train:8,val:1,test:{count}}}", "data.cache=none", "data.batch_size=4"]


def _row(what: str, peer: str, pairs: Sequence[Sequence[float]]) -> Row:
    theirs, ours = zip(*pairs, strict=True)
    return Row("step", what, peer, theirs, ours, "MiB", 1.05)
