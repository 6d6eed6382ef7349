"""What a training step costs beside the bare loop's and Lightning's, in time and in memory."""

import contextlib
import io
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from src.benchmark import loop, peak, setup
from src.benchmark.clock import Clock
from src.benchmark.memory import one_heap
from src.benchmark.row import Row
from src.benchmark.turns import Loop, Turns
from src.data.sample import Batch

# `python -m src.train` with the defaults of its callbacks and loggers, on rendered scenes
TINY = ["data.resolution=[16,16]", "data.lengths={train:16,val:2,test:0}", "data.batch_size=2"]
COMMON = ["transform=none", "trainer.max_epochs=1", "trainer.devices=1"]
BARE = {"logger": False, "enable_progress_bar": False, "enable_checkpointing": False, "enable_model_summary": False}


def run(config: Mapping[str, Any]) -> list[Row]:
    """All rows of the part."""
    common = [*COMMON, f"trainer.accelerator={config['accelerator']}"]
    blocks = 1 + max(config["rounds"], config["step"]["blocks"])
    with tempfile.TemporaryDirectory() as folder, _silent():
        rows = _tiny(common, Path(folder), config["step"]["tiny_steps"], blocks)
        rows += _unet(common, Path(folder), config["step"], blocks)
    return rows + (peak.rows(common, config) if config["step"]["probes"] else [])


def _tiny(common: list[str], folder: Path, steps: int, blocks: int) -> list[Row]:
    words = [*TINY, *common, "trainer.precision=32-true"]
    ours = setup.session(words, folder / "tiny", tiny=True)
    defaults = {"logging": True, "enable_model_summary": False}
    peers = {
        "bare PyTorch loop": partial(loop.bare, setup.parts(ours)),
        "Lightning, barebones": partial(loop.lightning, setup.parts(ours), folder=folder / "a", barebones=True),
        "Lightning, bare module": partial(loop.lightning, setup.parts(ours), folder=folder / "b", **BARE),
        "Lightning, its defaults": partial(loop.lightning, setup.parts(ours), folder=folder / "c", **defaults),
    }
    clocks = contest(setup.ready(ours, 8), peers, steps, blocks, leader=partial(setup.fit, ours))
    goals = {"bare PyTorch loop": 1.9, "Lightning, bare module": 1.0, "Lightning, its defaults": 1.0}
    return [_row("tiny network", peer, clocks, goals.get(peer)) for peer in peers]


def _unet(common: list[str], folder: Path, options: Mapping[str, Any], blocks: int) -> list[Row]:
    (height, width), batch = options["unet_size"], options["unet_batch"]
    sizes = [f"data.resolution=[{height},{width}]", f"data.batch_size={batch}"]
    lengths = f"data.lengths={{train:{2 * batch},val:{batch},test:0}}"
    words = [*sizes, lengths, "model=unet", *common, f"trainer.log_every_n_steps={options['unet_steps']}"]
    # `last` handles signals and so wants the main thread; what it costs is seen around the tiny network
    guarded = setup.session(words, folder / "guarded", without=["last"])
    unguarded = setup.session(words, folder / "unguarded", without=["last", *options["guards"]])
    loops = {
        "ours": partial(setup.fit, guarded),
        "bare PyTorch loop": partial(loop.bare, setup.parts(guarded)),
        "ours without the guards": partial(setup.fit, unguarded),
    }
    clocks = contest(setup.ready(guarded, 8), loops, options["unet_steps"], blocks)
    what = f"U-Net ResNet-18, {batch}×3×{height}×{width}, {guarded.settings['trainer']['precision']}"
    return [
        _row(what, "bare PyTorch loop", clocks, 1.03),
        _row("all guards together, U-Net", "ours without the guards", clocks, 1.02),
    ]


def contest(
    batches: Sequence[Batch], loops: Mapping[str, Loop], block: int, count: int, leader: Loop | None = None
) -> dict[str, Clock]:
    """Blocks of steps of each loop in turn; the first block is not timed.

    Args:
        batches: what all of them are given.
        block: steps to a turn.
        count: turns.
        leader: a loop that has to be in the main thread; it comes under the name of ours. Without one all loops are in
            threads of their own, and alike: a U-Net's step takes 2 % longer where the leader is.
    """
    one_heap()
    led = {name: Turns(batches, block, count).led(loop) for name, loop in loops.items()}
    turns = Turns(batches, block, count, list(led.values()))
    (leader or list)(turns)
    for other in led.values():
        other.finish()
    clocks = {name: other.clock for name, other in led.items()}
    return clocks | ({"ours": turns.clock} if leader else {})


def _row(what: str, peer: str, clocks: Mapping[str, Clock], goal: float | None) -> Row:
    theirs, ours = clocks[peer], clocks["ours"]
    wall = {"wall_theirs": theirs.wall, "wall_ours": ours.wall}
    return Row("step", what, peer, theirs.milliseconds(), ours.milliseconds(), "ms/step", goal, spread=True, more=wall)


@contextlib.contextmanager
def _silent() -> Any:
    """Nobody wants to read four progress bars; what they print is formatted all the same."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
