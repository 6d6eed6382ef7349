"""What computing a sliding window's shared work once saves, in time, beside asking the window at each pixel."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from src.benchmark.clock import interleaved
from src.benchmark.row import Row
from src.run import cli
from src.run.build import build, plain

NUM_CLASSES = 11
GOAL = 1 / 20  # of the loop's time, at most


def run(config: Mapping[str, Any]) -> list[Row]:
    """A row for each size: the same weights and, but for rounding, the same scores."""
    return [_row(size, config) for size in config["window"]["sizes"]]


def _row(size: list[int], config: Mapping[str, Any]) -> Row:
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    asked = {name: _asked(image, config["window"]["patch"], dense) for name, dense in (("loop", False), ("ours", True))}
    difference = float((asked["ours"]() - asked["loop"]()).abs().max())
    clocks = interleaved(asked, config["rounds"], warmup=1)
    theirs, ours = clocks["loop"], clocks["ours"]
    return Row(
        "window",
        f"a patch of {config['window']['patch']} at each of {size[0]}×{size[1]} pixels",
        "one patch after the other",
        theirs.milliseconds(),
        ours.milliseconds(),
        goal=GOAL,
        more={"wall_theirs": theirs.wall, "wall_ours": ours.wall, "largest_difference": difference},
    )


def _asked(image: Tensor, patch: int, dense: bool) -> Callable[[], Tensor]:
    words = ["model=sliding_window", f"model.patch={patch}", f"model.dense={str(dense).lower()}"]
    model = build(plain(cli.compose("train", words))["model"])
    with torch.random.fork_rng():
        torch.manual_seed(0)  # both have the same weights
        network: nn.Module = model(in_channels=3, out_channels=NUM_CLASSES).eval()
    network, image = (part.to(memory_format=torch.channels_last) for part in (network, image))
    return partial(_answer, network, image)


@torch.no_grad()
def _answer(network: nn.Module, image: Tensor) -> Tensor:
    return network(image)
