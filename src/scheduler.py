"""Learning rates over a run: a linear warm-up, then one of a few shapes. Each counts optimizer steps."""

import math
from collections.abc import Callable, Sequence

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def poly(optimizer: Optimizer, steps: int, warmup: float = 0.05, power: float = 0.9) -> LambdaLR:
    """(1 - t)^power (Chen et al., 2017), t from 0 to 1 after the warm-up.

    Args:
        steps: of the whole run.
        warmup: the share of the steps in which the rate climbs from nothing.
        power: 1 is a straight line.
    """
    return _schedule(optimizer, steps, warmup, lambda t: (1 - t) ** power)


def cosine(optimizer: Optimizer, steps: int, warmup: float = 0.05, final: float = 0.0) -> LambdaLR:
    """Half a cosine from the rate down to `final` times it (Loshchilov and Hutter, 2017)."""
    return _schedule(optimizer, steps, warmup, lambda t: final + (1 - final) * (1 + math.cos(math.pi * t)) / 2)


def step(
    optimizer: Optimizer,
    steps: int,
    warmup: float = 0.0,
    milestones: Sequence[float] = (0.6, 0.8),
    factor: float = 0.1,
) -> LambdaLR:
    """The rate times `factor` at each milestone, given as shares of the run."""
    return _schedule(optimizer, steps, warmup, lambda t: factor ** sum(t >= milestone for milestone in milestones))


def exponential(optimizer: Optimizer, steps: int, warmup: float = 0.0, final: float = 0.01) -> LambdaLR:
    """The same factor at every step, so that the rate ends at `final` times itself; .995 per epoch is .995^epochs.

    Raises:
        ValueError: `final` is not above 0: no factor leads there.
    """
    if final <= 0:
        raise ValueError(f"scheduler.final={final}: no factor leads there; give a share of the rate above 0")
    return _schedule(optimizer, steps, warmup, lambda t: final**t)


def constant(optimizer: Optimizer, steps: int, warmup: float = 0.0) -> LambdaLR:
    """The same rate from the end of the warm-up on."""
    return _schedule(optimizer, steps, warmup, lambda t: 1.0)


def _schedule(optimizer: Optimizer, steps: int, warmup: float, shape: Callable[[float], float]) -> LambdaLR:
    if not 0 <= warmup < 1:
        raise ValueError(f"scheduler.warmup={warmup}: a share of the run, from 0 up to but not 1")
    climb = round(steps * warmup)

    def factor(done: int) -> float:
        if done < climb:
            return (done + 1) / (climb + 1)
        return shape(min(1.0, (done - climb) / max(1, steps - climb)))

    return LambdaLR(optimizer, factor)
