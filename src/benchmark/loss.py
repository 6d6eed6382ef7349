"""What every loss costs, forward and backward, in time and in memory, beside the libraries that have it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn
from torch.nn import functional as F

from src.benchmark import colors, depths
from src.benchmark.clock import Clock, interleaved
from src.benchmark.memory import added
from src.benchmark.peers import Loss, peers
from src.benchmark.row import Row
from src.data.description import UNKNOWN
from src.run import cli
from src.run.build import build, plain
from src.run.combination.price import options

NUM_CLASSES = 21
AREA = 32  # pixels along the side of what one class covers
MEMORY = 3.0  # the logits and two copies, in multiples of the logits


def run(config: Mapping[str, Any]) -> list[Row]:
    """Rows of every loss of conf/loss, or of those that `loss.only` names."""
    rows = []
    for name in config["loss"]["only"] or dict.fromkeys(name for task in BATCHES for name in options(task)):
        make = next(make for task, make in BATCHES.items() if name in options(task))
        output, target = make(config["loss"], getattr(_built(name), "channels", 3))
        ours = partial(_priced, _built(name), output, target)
        others = peers(name, NUM_CLASSES)
        given = target if target.is_floating_point() else target.long()  # as the peers want it
        contestants = {peer: partial(_priced, loss, output, given) for peer, loss in others.items() if loss}
        clocks = interleaved({"ours": ours, **contestants}, config["rounds"])
        for peer in others:
            rows.append(_time(name, peer, clocks) if peer in contestants else _absent(name, peer))
        rows.append(_memory(name, ours, contestants, output))
        rows += colors.rows(config) if name == "color_bins" else []
    return rows


def _batch(options: Mapping[str, Any], channels: int) -> tuple[Float[Tensor, "b k h w"], Integer[Tensor, "b h w"]]:
    """Logits, and a target in bytes of small areas, as masks are and noise is not, with some unknown pixels."""
    batch, size = options["batch"], options["size"]
    generator = torch.Generator().manual_seed(0)
    cells = [-(-side // AREA) for side in size]
    target = torch.randint(NUM_CLASSES, (batch, *cells), generator=generator, dtype=torch.uint8)
    target = target.repeat_interleave(AREA, 1).repeat_interleave(AREA, 2)[:, : size[0], : size[1]].contiguous()
    target[:, : size[0] // 20] = UNKNOWN
    output = torch.randn(batch, NUM_CLASSES, *size, generator=generator)
    memory_format = torch.channels_last if options["channels_last"] else torch.contiguous_format
    return output.contiguous(memory_format=memory_format).requires_grad_(), target


def _directions(options: Mapping[str, Any], channels: int) -> tuple[Float[Tensor, "b k h w"], Float[Tensor, "b 3 h w"]]:
    """Directions, with more channels where a loss wants them, and a target with some unknown pixels."""
    batch, size = options["batch"], options["size"]
    generator = torch.Generator().manual_seed(0)
    target = F.normalize(torch.randn(batch, 3, *size, generator=generator), dim=1)
    target[:, :, : size[0] // 20] = torch.nan
    output = F.normalize(torch.randn(batch, channels, *size, generator=generator), dim=1)
    memory_format = torch.channels_last if options["channels_last"] else torch.contiguous_format
    return output.contiguous(memory_format=memory_format).requires_grad_(), target


BATCHES = {
    "semantic": _batch,
    "depth": depths.batch,
    "normals": _directions,
    "colorization": colors.batch,
}  # by what a loss prices; the first that fits


def _built(name: str) -> nn.Module:
    loss = build(plain(cli.compose("train", [f"loss={name}"]))["loss"])
    for part in loss.modules():
        if hasattr(part, "calibrate"):  # by the frequencies of a training set
            pixels = torch.arange(1, NUM_CLASSES + 1) * 1000
            part.calibrate(pixels, 2 * pixels)
        if hasattr(part, "calibrate_colors"):
            part.calibrate_colors(colors.PIXELS)
    return loss


def _priced(loss: Loss, output: Tensor, target: Tensor) -> None:
    """Forward and backward."""
    output.grad = None
    loss(output, target).backward()


def _time(name: str, peer: str, clocks: Mapping[str, Clock]) -> Row:
    theirs, ours = clocks[peer], clocks["ours"]
    wall = {"wall_theirs": theirs.wall, "wall_ours": ours.wall}
    return Row("loss", name, peer, theirs.milliseconds(), ours.milliseconds(), goal=1.0, more=wall)


def _absent(name: str, peer: str) -> Row:
    return Row("loss", name, peer, goal=1.0, missing="not installed")


def _memory(name: str, ours: Callable[[], None], others: Mapping[str, Callable[[], None]], output: Tensor) -> Row:
    """Peak in multiples of the logits, these included, against what was promised; the peers' are in the JSON."""
    what, size = f"{name}, peak memory", output.numel() * output.element_size()
    peaks = {peer: _peak(function, output, size) for peer, function in {"ours": ours, **others}.items()}
    own = peaks.pop("ours")
    if own is None:
        return Row("loss", what, "logits and two copies", goal=1.0, missing="only Linux tells")
    return Row("loss", what, "logits and two copies", [MEMORY], [own], "× logits", 1.0, more={"peers": peaks})


def _peak(function: Callable[[], None], output: Tensor, size: int) -> float | None:
    output.grad = None  # the gradient belongs to what a call takes
    found = added(function)
    return None if found is None else 1 + found / size
