"""The stages of a backbone that pools: cutting them, and running them with or without a note of where maxima stood."""

from collections.abc import Iterable, Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from src.model.interface import Pool


def cut(layers: Iterable[nn.Module]) -> nn.ModuleList:
    """Stages of one feature each: every max-pooling of the network begins one."""
    stages: list[list[nn.Module]] = [[]]
    for layer in layers:
        if isinstance(layer, nn.MaxPool2d):
            stages.append([])
        stages[-1].append(layer)
    return nn.ModuleList(nn.Sequential(*stage) for stage in stages)


def features(stages: Iterable[nn.Sequential], x: Tensor) -> list[Tensor]:
    """What each stage gives, one after another."""
    found = []
    for stage in stages:
        x = stage(x)
        found.append(x)
    return found


def pooled(
    stages: Iterable[nn.Sequential], x: Tensor, reductions: Sequence[int]
) -> tuple[list[Tensor], dict[int, Pool]]:
    """The same, and the pools by the reduction before them.

    Args:
        stages: of one feature each; a max-pooling stands first in its stage.
        reductions: of the features.
    """
    found: list[Tensor] = []
    pools = {}
    for stage, before in zip(stages, [1, *reductions], strict=False):
        first = stage[0]
        if isinstance(first, nn.MaxPool2d):
            size = (x.shape[-2], x.shape[-1])
            x, indices = F.max_pool2d(
                x, first.kernel_size, first.stride, first.padding, ceil_mode=first.ceil_mode, return_indices=True
            )
            pools[before] = Pool(indices, size)
            stage = stage[1:]
        x = stage(x)
        found.append(x)
    return found, pools
